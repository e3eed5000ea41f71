// SPDX-License-Identifier: GPL-3.0-or-later
// The two products of attention, all heads at once, straight from the rows of the qkv projection:
// queries with keys, and weights with values. On the CPU in fp32 through oneDNN (packed_linear.h
// says why); elsewhere at::matmul.
#pragma once

#include <ATen/ATen.h>

namespace adamerge {

/// result[h] = a[h] b[h] for [heads, m, k] and [heads, k, n]; `result` [heads, m, n] is
/// overwritten. All three may be views whose rows or columns are not adjacent, as heads of packed
/// tokens are.
void multiplyHeads(const at::Tensor& a, const at::Tensor& b, at::Tensor result);

}  // namespace adamerge
