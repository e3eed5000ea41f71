// SPDX-License-Identifier: GPL-3.0-or-later
// The bipartite matching that methods share, and their counts per block.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "merging/method.h"

namespace adamerge {

/// Norms in the cosines between tokens are at least this (S2 of the specification); in those
/// between keys, ToMe's, at least 1e-12.
constexpr double kLeastTokenNorm = 1e-6;

/// Indices of `values`, largest first; equal values keep their order.
std::vector<std::int64_t> descending(const std::vector<float>& values);

/// Runs work(first, last) over pieces of [0, rows), one after another on the calling thread, and
/// throws Cancelled between them; see StopWithin. Matrices of thousands of tokens are so worked off
/// within the processor's cache. Each piece begins at a multiple of 256 and has so many rows or
/// more, so that LibTorch's vectors lie in a matrix as they would in one piece: the same bits.
void forRowPieces(std::int64_t rows, const std::function<void(std::int64_t, std::int64_t)>& work);

/// ToMe's bipartite soft matching (ICLR 2023, Sec. 3) in each image: even positions into odd ones
/// by cosine of the metric, the r best; prefix tokens stay and stay first. r is clamped to
/// floor(patches / 2). The plans' weights are the token sizes. `cells`: of each image one number
/// per token, and only tokens of the same one merge; empty: all may.
std::vector<MergePlan> toMePlans(std::span<const LayerTokens> images, std::int64_t r,
                                 const std::vector<std::vector<float>>& cells = {});
/// The same with a count of each image.
std::vector<MergePlan> toMePlans(std::span<const LayerTokens> images,
                                 std::span<const std::int64_t> counts,
                                 const std::vector<std::vector<float>>& cells = {});

/// What merges in each block: the counts of "r_per_block", 0 for blocks that it does not name, or
/// where it is empty r in all. Throws Error where a count does not fit the model.
std::vector<std::int64_t> countsPerBlock(const Settings& settings, const VitConfig& vit);
/// The counts of "r_per_block" for every block, each at most `most`; none where none are given.
std::vector<std::int64_t> givenCounts(const Settings& settings, const VitConfig& vit,
                                      std::int64_t most);
/// Off where the network has no such setting.
bool usesProportionalAttention(const Settings& settings);
/// ToMe's counts per block for (r, inflection): linear from r (1 - inflection) to
/// r (1 + inflection), truncated.
std::vector<std::int64_t> inflectedSchedule(std::int64_t r, double inflection, int depth);

/// (x - min) / (max - min), for display; 0 where all are equal. `values`: at least one.
std::vector<float> minMaxScaled(const std::vector<double>& values);

/// Throws Error where r exceeds half of the model's patch tokens.
void requireCountFits(std::int64_t r, const VitConfig& vit, const char* option);
void requireCountFits(std::int64_t r, const VitConfig& vit, const char* option, std::int64_t limit);

}  // namespace adamerge
