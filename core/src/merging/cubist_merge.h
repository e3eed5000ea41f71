// SPDX-License-Identifier: GPL-3.0-or-later
// The step of CubistMerge: tokens merge within lines, the same number in each, so that a smaller
// grid is left (arXiv 2509.21764, Sec. 3).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "merging/plan.h"

namespace adamerge {

struct MergedLines {
  at::Tensor tokens;  ///< [lines, length - r, d], what is left keeps its order
  std::vector<std::vector<std::int64_t>> kept;    ///< of each line, positions in it, ascending
  std::vector<std::vector<PlannedMerge>> merges;  ///< of each line, ascending in the source
};

/// In each line of `tokens` [lines, length, d] the r odd tokens that are most like a neighbour
/// (cosine, of equals the left one; then the lowest position) go into it; r is clamped to
/// floor(length / 2). Per channel the value of largest magnitude remains, of equals the
/// destination's, then the lowest position's.
MergedLines mergeLines(const at::Tensor& tokens, std::int64_t r);

}  // namespace adamerge
