// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/apply.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "kernels/padded/padding.h"

namespace adamerge {
namespace {

/// Destinations with all their members, in the order of the plan's first merge into each.
struct Groups {
  std::vector<std::int64_t> destinations;
  std::vector<std::int64_t> members;  ///< group by group: the destination, then its sources
  std::vector<std::size_t> group;     ///< of each member
};

Groups collect(const MergePlan& plan) {
  Groups groups;
  std::map<std::int64_t, std::size_t> number;
  std::vector<std::vector<std::int64_t>> sources;
  for (const PlannedMerge& merge : plan.merges) {
    const auto [place, is_new] = number.try_emplace(merge.destination, sources.size());
    if (is_new) {
      groups.destinations.push_back(merge.destination);
      sources.emplace_back();
    }
    sources[place->second].push_back(merge.source);
  }
  for (std::size_t group = 0; group < sources.size(); ++group) {
    groups.members.push_back(groups.destinations[group]);
    groups.members.insert(groups.members.end(), sources[group].begin(), sources[group].end());
    groups.group.resize(groups.members.size(), group);
  }
  return groups;
}

/// What part of its group's mean each member is.
std::vector<float> memberShares(const MergePlan& plan, const Groups& groups) {
  const auto weight = [&](std::size_t k) {
    return plan.combine == Combine::kWeightedMean
               ? static_cast<double>(plan.weights[groups.members[k]])
               : 1.0;
  };
  std::vector<double> sums(groups.destinations.size(), 0.0);
  for (std::size_t k = 0; k < groups.members.size(); ++k) sums[groups.group[k]] += weight(k);
  std::vector<float> shares(groups.members.size());
  for (std::size_t k = 0; k < shares.size(); ++k) {
    shares[k] = static_cast<float>(weight(k) / sums[groups.group[k]]);
  }
  return shares;
}

/// What plainApplyToTokens() reads, where the tokens are.
struct PlacedGroups {
  at::Tensor order;
  at::Tensor members;
  at::Tensor rows;    ///< of the merged tokens: the destinations
  at::Tensor firsts;  ///< of each group its destination's place among the members
  at::Tensor within;  ///< [groups, members]: is a member of the group
  at::Tensor shares;  ///< [members]
};

/// In one copy: doubles hold positions exactly.
PlacedGroups placed(const MergePlan& plan, const Groups& groups, const std::vector<int>& position,
                    at::Device device) {
  std::vector<double> numbers(plan.order.begin(), plan.order.end());
  const auto add = [&](const auto& values) {
    numbers.insert(numbers.end(), values.begin(), values.end());
  };
  std::vector<int> rows;
  std::vector<std::size_t> firsts;
  for (std::size_t k = 0; k < groups.members.size(); ++k) {
    if (groups.group[k] < firsts.size()) continue;
    firsts.push_back(k);
    rows.push_back(position[groups.members[k]]);
  }
  add(groups.members);
  add(rows);
  add(firsts);
  add(groups.group);
  add(memberShares(plan, groups));

  const at::Tensor sent = sentTo(device, at::tensor(numbers));
  const at::Tensor positions = sent.to(at::kLong);
  std::int64_t used = 0;
  const auto take = [&](const at::Tensor& from, std::size_t count) {
    const auto length = static_cast<std::int64_t>(count);
    used += length;
    return from.narrow(0, used - length, length);
  };
  PlacedGroups result;
  result.order = take(positions, plan.order.size());
  result.members = take(positions, groups.members.size());
  result.rows = take(positions, rows.size());
  result.firsts = take(positions, firsts.size());
  const at::Tensor group = take(positions, groups.group.size());
  const at::Tensor number = at::arange(static_cast<std::int64_t>(rows.size()), group.options());
  result.within = number.unsqueeze(1) == group.unsqueeze(0);
  result.shares = take(sent, groups.members.size()).to(at::kFloat);
  return result;
}

/// [groups, 1]: the largest norm among a group's members over its destination's norm; 1 where that
/// is 0.
at::Tensor normRatios(const at::Tensor& members, const PlacedGroups& groups) {
  const at::Tensor norms = members.norm(2, {1}).to(at::kFloat);
  const at::Tensor own = norms.index_select(0, groups.firsts);
  const at::Tensor largest = at::where(groups.within, norms.unsqueeze(0), 0.0F).amax(1);
  return at::where(own > 0, largest / own, at::ones_like(own)).unsqueeze(1);
}

/// fp32 on the CPU: rows are copied, and the few destinations written over with their sums.
void applyToRows(const MergePlan& plan, const at::Tensor& tokens, at::Tensor& merged) {
  const auto width = static_cast<std::size_t>(tokens.size(1));
  const std::int64_t stride = tokens.stride(0);
  const auto* from = tokens.data_ptr<float>();
  auto* to = merged.data_ptr<float>();
  const auto rowOf = [&](std::int64_t position) { return from + position * stride; };
  for (std::size_t row = 0; row < plan.order.size(); ++row) {
    std::copy_n(rowOf(plan.order[row]), width, to + row * width);
  }
  if (plan.combine == Combine::kPrune) return;

  const Groups groups = collect(plan);
  const std::vector<float> share = memberShares(plan, groups);
  const std::vector<int> position = newPositions(plan, static_cast<std::size_t>(tokens.size(0)));
  for (std::size_t group = 0, k = 0; group < groups.destinations.size(); ++group) {
    float* sum = to + static_cast<std::size_t>(position[groups.destinations[group]]) * width;
    double own = 0;
    double largest = 0;
    std::fill_n(sum, width, 0.0F);
    for (bool first = true; k < groups.members.size() && groups.group[k] == group; ++k) {
      const float* member = rowOf(groups.members[k]);
      for (std::size_t i = 0; i < width; ++i) sum[i] += share[k] * member[i];
      if (plan.combine != Combine::kNormPreserving) continue;
      const double norm = std::sqrt(std::inner_product(member, member + width, member, 0.0));
      own = first ? norm : own;
      largest = std::max(largest, norm);
      first = false;
    }
    if (own <= 0) continue;
    const auto ratio = static_cast<float>(largest / own);
    for (std::size_t i = 0; i < width; ++i) sum[i] *= ratio;
  }
}

}  // namespace

std::vector<int> newPositions(const MergePlan& plan, std::size_t count) {
  std::vector<int> position(count, -1);
  for (std::size_t k = 0; k < plan.order.size(); ++k) {
    position[plan.order[k]] = static_cast<int>(k);
  }
  for (const PlannedMerge& merge : plan.merges) {
    position[merge.source] = position[merge.destination];
  }
  return position;
}

std::int64_t remainingTokens(const MergePlan& plan, std::int64_t count) {
  return plan.merges.empty() ? count : static_cast<std::int64_t>(plan.order.size());
}

void plainApplyToTokens(const MergePlan& plan, const at::Tensor& tokens, at::Tensor merged) {
  if (plan.merges.empty()) {
    merged.copy_(tokens);
    return;
  }
  const Groups groups = collect(plan);
  const PlacedGroups placed_groups = placed(
      plan, groups, newPositions(plan, static_cast<std::size_t>(tokens.size(0))), tokens.device());
  merged.copy_(tokens.index_select(0, placed_groups.order));
  if (plan.combine == Combine::kPrune) return;

  const at::ScalarType precision = tokens.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor members = tokens.index_select(0, placed_groups.members).to(precision);
  // A small dense product instead of a scatter-add keeps sums in one fixed order on every device.
  at::Tensor combined = (placed_groups.within * placed_groups.shares).to(precision).mm(members);
  if (plan.combine == Combine::kNormPreserving) {
    combined = combined * normRatios(members, placed_groups).to(precision);
  }
  merged.index_copy_(0, placed_groups.rows, combined.to(tokens.scalar_type()));
}

void applyToTokens(const MergePlan& plan, const at::Tensor& tokens, at::Tensor merged) {
  const bool rows = tokens.is_cpu() && tokens.scalar_type() == at::kFloat &&
                    tokens.stride(1) == 1 && merged.is_contiguous();
  if (rows && !plan.merges.empty()) {
    applyToRows(plan, tokens, merged);
  } else {
    plainApplyToTokens(plan, tokens, std::move(merged));
  }
}

MergePlan joinedPlan(std::span<const MergePlan> plans, std::span<const std::int64_t> counts) {
  MergePlan joined;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const MergePlan& plan = plans[i];
    const auto end = static_cast<std::size_t>(offset + counts[i]);
    if (plan.merges.empty()) {
      for (std::int64_t k = 0; k < counts[i]; ++k) joined.order.push_back(offset + k);
    } else {
      if (!joined.merges.empty() && plan.combine != joined.combine) {
        throw FaultyPlan("the images of one batch would combine their tokens in different ways");
      }
      joined.combine = plan.combine;
      for (const std::int64_t position : plan.order) joined.order.push_back(offset + position);
      for (const PlannedMerge& merge : plan.merges) {
        joined.merges.push_back(
            {offset + merge.source, offset + merge.destination, merge.similarity});
      }
      joined.weights.insert(joined.weights.end(), plan.weights.begin(), plan.weights.end());
    }
    joined.weights.resize(end, 1.0F);
    offset += counts[i];
  }
  return joined;
}

std::vector<float> applyToSizes(const MergePlan& plan, const std::vector<float>& sizes) {
  if (plan.merges.empty()) return sizes;
  const std::vector<int> position = newPositions(plan, sizes.size());
  std::vector<float> own = sizes;
  if (plan.combine == Combine::kPrune) {
    for (const PlannedMerge& merge : plan.merges) own[merge.source] = 0;
  }
  std::vector<float> result(plan.order.size(), 0.0F);
  for (std::size_t old = 0; old < sizes.size(); ++old) result[position[old]] += own[old];
  return result;
}

}  // namespace adamerge
