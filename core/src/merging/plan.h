// SPDX-License-Identifier: GPL-3.0-or-later
// What a method decides for one image, apart from carrying it out: which tokens merge, which are
// dropped, which are restored after the block, and which keys its attention sees.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "adamerge/error.h"
#include "adamerge/result.h"

namespace adamerge {

/// How a destination and its sources become one token.
enum class Combine {
  kWeightedMean,    ///< sum of weight * token / sum of weights
  kPrune,           ///< the destination keeps its value
  kNormPreserving,  ///< MLERP (ToFu): plain mean, / old norm of the destination, * largest norm
  /// Per channel the value of largest magnitude; of equals the destination's, then that of the
  /// lowest position (CubistMerge).
  kMaxMagnitude,
};

/// Positions in the sequence on entry, prefix included.
struct PlannedMerge {
  std::int64_t source = 0;
  std::int64_t destination = 0;
  float similarity = 0;
};

/// A token that leaves the sequence and gives nothing to any other (more-methods, S2).
struct PlannedDrop {
  std::int64_t position = 0;
  /// The token that stays and stands for the dropped one's patches from now on. -1: the most
  /// similar patch token that stays; the engine finds it, and only where somebody asks for groups.
  std::int64_t stand_in = -1;
};

/// How a block that runs on fewer tokens is undone where that is more than means and copies (S3):
/// y = M x, then x <- R block(y) + rest * x. Over all N positions on entry and the t tokens inside,
/// prefix included. May be shared by images and runs, so it never changes.
struct Restoration {
  at::Tensor merge;    ///< M [t, N] fp32 or fp64, on the CPU; dense or sparse
  at::Tensor recover;  ///< R [N, t], likewise
  at::Tensor rest;     ///< [N], what of the old token stays: 1 for those that take no part
};

struct MergePlan {
  /// The new sequence, as positions of the tokens that stay; prefix first.
  std::vector<std::int64_t> order;
  /// No destination is a source. Without merges and drops nothing changes and `order` is not read.
  std::vector<PlannedMerge> merges;
  std::vector<PlannedDrop> dropped;
  Combine combine = Combine::kWeightedMean;
  std::vector<float> weights;  ///< per position, for kWeightedMean
  /// For Stage::kAroundBlock, in place of `combine` and `weights`: `order`, `merges` and `dropped`
  /// then only tell where the tokens inside come from. Null: means, and copies back.
  std::shared_ptr<const Restoration> restoration;
  /// For Stage::kBeforeBlock: the keys that the block's attention sees (S4), as ascending positions
  /// in the new sequence. Empty: all. One list: the same for all heads; else one a head.
  std::vector<std::vector<std::int64_t>> keys;

  std::optional<double> redundancy;
  std::optional<double> mu;
  std::optional<double> sigma;
  std::optional<double> z;
  std::vector<float> salience;  ///< per patch token; empty: none
  /// What else the trace shows. `score` and `component` are per patch token here; the engine gives
  /// each patch its token's.
  MethodDetails details;
  double macs = 0;  ///< matrix products spent on deciding, in multiply-accumulates

  bool changes() const { return !merges.empty() || !dropped.empty(); }
};

/// A plan that would lose tokens or reach beyond them: a fault of the method that made it.
class FaultyPlan : public Error {
 public:
  using Error::Error;
};

/// Throws FaultyPlan unless `plan`, made for block `block` of a network with `heads` heads,
/// accounts for each of `count` tokens: the first `prefix` stay and come first, and every other one
/// stays once, is the source of one merge, into a token that stays, or is dropped; at least one
/// that is no prefix token stays. O(count).
void checkPlan(const MergePlan& plan, std::int64_t count, std::int64_t prefix, int block,
               std::int64_t heads = 1);

}  // namespace adamerge
