// SPDX-License-Identifier: GPL-3.0-or-later
// A merge as decided by a method, apart from applying it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace adamerge {

/// How a destination and its sources become one token.
enum class Combine {
  kWeightedMean,    ///< sum of weight * token / sum of weights
  kPrune,           ///< the destination keeps its value
  kNormPreserving,  ///< MLERP (ToFu): plain mean, / old norm of the destination, * largest norm
};

/// Positions in the sequence on entry, prefix included.
struct PlannedMerge {
  std::int64_t source = 0;
  std::int64_t destination = 0;
  float similarity = 0;
};

struct MergePlan {
  /// The new sequence, as positions of the tokens that stay; prefix first.
  std::vector<std::int64_t> order;
  /// No destination is a source. Empty: nothing changes and `order` is not read.
  std::vector<PlannedMerge> merges;
  Combine combine = Combine::kWeightedMean;
  std::vector<float> weights;  ///< per position, for kWeightedMean

  std::optional<double> redundancy;
  std::optional<double> mu;
  std::optional<double> sigma;
  std::optional<double> z;
  std::vector<float> salience;  ///< per patch token; empty: none
  double macs = 0;              ///< matrix products spent on deciding, in multiply-accumulates
};

}  // namespace adamerge
