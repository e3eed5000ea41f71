// SPDX-License-Identifier: GPL-3.0-or-later
// Carrying out a merge plan: the one place where tokens, sizes and maps change.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "merging/method.h"

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

/// Sizes of merged tokens add up; what is pruned or dropped counts no more.
std::vector<float> applyToSizes(const MergePlan& plan, const std::vector<float>& sizes);

/// New position of every old position; a source has its destination's, a dropped token that of the
/// one that the plan names to stand for it, else -1.
std::vector<int> newPositions(const MergePlan& plan, std::size_t count);

/// For each of `rows`, positions of `tokens` [N, d], the one of `others`, ascending, whose cosine
/// to it is highest, the lowest of equals; norms count as 1e-6 at least. Computed in `dtype`, fp32
/// or fp64, where the tokens are. `others` is not empty.
std::vector<std::int64_t> mostSimilar(const at::Tensor& tokens,
                                      const std::vector<std::int64_t>& rows,
                                      const std::vector<std::int64_t>& others,
                                      at::ScalarType dtype);
/// Gives each dropped token of `plan` that names none a token that stands for it: by mostSimilar()
/// among the patch tokens that stay.
void findStandIns(MergePlan& plan, const at::Tensor& tokens, std::int64_t prefix,
                  at::ScalarType dtype);

}  // namespace adamerge
