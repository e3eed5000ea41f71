// SPDX-License-Identifier: GPL-3.0-or-later
// Dot products of tokens, each function beside its plain version in LibTorch's functions. On the
// CPU they are kernels of ours; everywhere else the plain ones.
#pragma once

#include <ATen/ATen.h>

#include "kernels/cpu/isa.h"

namespace adamerge {

/// Whether a kernel decides by it: on the CPU, in fp32 or fp64, and not empty.
bool isDecidable(const at::Tensor& matrix);

/// a_i . b_j for rows a [m, d] and b [n, d], summed in `dtype` (fp32 or fp64): [m, n].
at::Tensor plainDotProducts(const at::Tensor& a, const at::Tensor& b, at::ScalarType dtype);
at::Tensor dotProducts(const at::Tensor& a, const at::Tensor& b, at::ScalarType dtype,
                       Isa isa = bestIsa());

/// dotProducts(x, x), of which only one half is computed; in fp32 on AMX to 3 * 2^-16 of the rows'
/// lengths.
at::Tensor gramMatrix(const at::Tensor& x, at::ScalarType dtype, Isa isa = bestIsa());

}  // namespace adamerge
