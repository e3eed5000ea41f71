// SPDX-License-Identifier: GPL-3.0-or-later
// The steps of Focus on the Core (arXiv 2406.01283): fuzzy pruning of keys, and combination tokens.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace adamerge {

struct FuzzyPruning {
  std::vector<std::vector<std::int64_t>> stay;     ///< per head, ascending
  std::optional<std::array<double, 2>> quartiles;  ///< a and b, where the rule is fuzzy
};

/// Which keys stay. `scores`: per head one for each key; `left`: per head the keys still in,
/// ascending, at least one. Fuzzy: keys above a + 0.1 (b - a) are protected, a and b the quartiles
/// of the scores of all heads' keys, and of the others `percent` with the highest scores stay;
/// plain: `percent` of all of them do. Lowest key of equals first; at least one of each head stays.
FuzzyPruning fuzzyPruning(const std::vector<std::vector<double>>& scores,
                          const std::vector<std::vector<std::int64_t>>& left, int percent,
                          bool fuzzy);

struct Combination {
  std::vector<std::int64_t> seeds;  ///< ascending
  std::vector<std::int64_t> group;  ///< per token, the seed that takes it in; a seed takes itself
  std::vector<double> similarity;   ///< per token, to that seed
};

/// `tokens` [n, d], `count` 1 ... n - 1 of them become seeds: `first`, then greedily the one whose
/// cosine to its nearest seed is least. Every other one goes to the seed that is most like it.
/// Tokens are normalised as by a LayerNorm without weights, in fp64; lowest position of equals.
Combination combination(const at::Tensor& tokens, std::int64_t count, std::int64_t first);

}  // namespace adamerge
