// SPDX-License-Identifier: GPL-3.0-or-later
// Carrying out a merge plan: the one place where tokens, sizes and maps change.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "merging/plan.h"

namespace adamerge {

/// Rows that remain of `count`.
std::int64_t remainingTokens(const MergePlan& plan, std::int64_t count);

/// `tokens`: [N, d]; `merged`: [remainingTokens(), d], same dtype and device, rows adjacent, is
/// written. Sums are taken in fp32 (fp64 for fp64 tokens), members in the plan's order.
void applyToTokens(const MergePlan& plan, const at::Tensor& tokens, at::Tensor merged);
/// The same by LibTorch's own functions, on any device.
void plainApplyToTokens(const MergePlan& plan, const at::Tensor& tokens, at::Tensor merged);
/// The same for the tokens of several images that stand one below the other, `counts` of each: on
/// an accelerator with one copy to it, and without waiting for it. Throws FaultyPlan where two that
/// merge combine their tokens in different ways.
void applyToAllTokens(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                      const at::Tensor& tokens, at::Tensor merged);

/// Sizes of merged tokens add up; what is pruned counts no more.
std::vector<float> applyToSizes(const MergePlan& plan, const std::vector<float>& sizes);

/// New position of every old position; a source has its destination's.
std::vector<int> newPositions(const MergePlan& plan, std::size_t count);

}  // namespace adamerge
