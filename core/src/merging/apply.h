// SPDX-License-Identifier: GPL-3.0-or-later
// Carrying out a merge plan: the one place where tokens, sizes and maps change.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "merging/plan.h"

namespace adamerge {

/// `tokens`: [N, d]; returns [order.size(), d], same dtype and device. Sums are taken in fp32 (fp64
/// for fp64 tokens).
at::Tensor applyToTokens(const MergePlan& plan, const at::Tensor& tokens);

/// Sizes of merged tokens add up.
std::vector<float> applyToSizes(const MergePlan& plan, const std::vector<float>& sizes);

/// New position of every old position; a source has its destination's.
std::vector<int> newPositions(const MergePlan& plan, std::size_t count);

}  // namespace adamerge
