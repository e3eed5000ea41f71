// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/plan.h"

#include <fmt/format.h>

namespace adamerge {
namespace {

enum class Fate : char { kUnknown, kStays, kGoes };

}  // namespace

void checkPlan(const MergePlan& plan, std::int64_t count, std::int64_t prefix, int block) {
  const auto require = [block](bool holds, std::string_view what, std::int64_t position) {
    if (holds) return;
    throw FaultyPlan(fmt::format("block {}: token {} {}", block, position, what));
  };
  const auto requireSize = [block](std::size_t size, std::int64_t wanted, std::string_view what) {
    if (size == static_cast<std::size_t>(wanted)) return;
    throw FaultyPlan(fmt::format("block {}: {} {} for {} tokens", block, size, what, wanted));
  };
  if (!plan.salience.empty()) requireSize(plan.salience.size(), count - prefix, "saliences");
  if (plan.merges.empty()) return;
  if (plan.combine == Combine::kWeightedMean) requireSize(plan.weights.size(), count, "weights");

  std::vector<Fate> fates(static_cast<std::size_t>(count), Fate::kUnknown);
  const auto decide = [&](std::int64_t position, Fate fate) {
    require(position >= 0 && position < count, "does not exist", position);
    Fate& present = fates[static_cast<std::size_t>(position)];
    require(present == Fate::kUnknown, "is there twice", position);
    present = fate;
  };
  for (std::size_t k = 0; k < plan.order.size(); ++k) {
    decide(plan.order[k], Fate::kStays);
    const auto place = static_cast<std::int64_t>(k);
    require(place >= prefix || plan.order[k] == place, "is where a prefix token belongs",
            plan.order[k]);
  }
  for (const PlannedMerge& merge : plan.merges) decide(merge.source, Fate::kGoes);
  for (std::int64_t position = 0; position < count; ++position) {
    const Fate fate = fates[static_cast<std::size_t>(position)];
    require(fate != Fate::kUnknown, "neither stays nor merges", position);
    require(position >= prefix || fate == Fate::kStays, "is a prefix token and merges", position);
  }
  for (const PlannedMerge& merge : plan.merges) {
    const std::int64_t destination = merge.destination;
    require(destination >= prefix && destination < count, "is no token to merge into", destination);
    require(fates[static_cast<std::size_t>(destination)] == Fate::kStays,
            "is merged into and does not stay", destination);
  }
}

}  // namespace adamerge
