// SPDX-License-Identifier: GPL-3.0-or-later
// What an evaluation measures: methods with counts, or with the counts that bring each of them to
// the FLOPs asked for.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/dataset.h"
#include "adamerge/evaluate.h"

namespace adamerge {

/// "8,12,16", "1:23" (every number from 1 to 23) or "1:23:2" (every second): ascending, nothing
/// twice. Throws Error that begins with `name`.
std::vector<int> parseCounts(std::string_view name, std::string_view text);

/// "0.9,0.75": numbers above 0, as they stand. Throws Error that begins with `name`.
std::vector<double> parseTiers(std::string_view name, std::string_view text);

/// Values by the compression setting they are for ("r", "r_max").
using Counts = std::map<std::string, std::vector<int>, std::less<>>;

/// Each method with each of the counts for what drives its compression; as it is where there are
/// none for that, or nothing drives it. Throws Error for counts that the method does not take.
std::vector<EvaluationChoice> withCounts(std::span<const MethodChoice> methods,
                                         const Counts& counts);

/// The count that brings a method nearest to a tier.
struct TierMatch {
  EvaluationChoice choice;
  Flops flops;             ///< mean over `images`
  std::size_t images = 1;  ///< SchedulePoint::images

  /// Whether its FLOPs are within 2 % of the tier.
  bool near() const;
};

/// For each of `tiers` (G, `paper` convention) each method with the count that comes nearest;
/// methods without a count are left out. What depends on the image is measured on all of `images`,
/// at least one. `found` hears of each match. Throws Error: none of the methods has a count;
/// Cancelled.
std::vector<EvaluationChoice> matchTiers(const Engine& engine, std::span<const InputTensor> images,
                                         std::span<const MethodChoice> methods,
                                         std::span<const double> tiers,
                                         const std::function<void(const TierMatch&)>& found = {},
                                         const ProgressCallback& progress = {},
                                         const std::stop_token& stop = {});
/// On the images of `sample`; those that cannot be read are left to the evaluation to name. Throws
/// Error where none could be read.
std::vector<EvaluationChoice> matchTiers(const Engine& engine, const Dataset& sample,
                                         std::span<const MethodChoice> methods,
                                         std::span<const double> tiers,
                                         const std::function<void(const TierMatch&)>& found = {},
                                         const ProgressCallback& progress = {},
                                         const std::stop_token& stop = {});

}  // namespace adamerge
