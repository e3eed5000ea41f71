// SPDX-License-Identifier: GPL-3.0-or-later
// A merge as decided by a method, apart from applying it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "adamerge/error.h"

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

/// A plan that would lose tokens or reach beyond them: a fault of the method that made it.
class FaultyPlan : public Error {
 public:
  using Error::Error;
};

/// Throws FaultyPlan unless `plan`, made for block `block`, accounts for each of `count` tokens:
/// the first `prefix` stay and come first, and every other one either stays once or is the source
/// of one merge, into a token that stays. O(count).
void checkPlan(const MergePlan& plan, std::int64_t count, std::int64_t prefix, int block);

}  // namespace adamerge
