// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/apply.h"

#include <algorithm>
#include <map>

namespace adamerge {
namespace {

/// Destinations with all their members, in the order of the plan's first merge into each.
struct Groups {
  std::vector<std::int64_t> destinations;
  std::vector<std::int64_t> members;  ///< positions; the destination first, then its sources
  std::vector<std::int64_t> group;    ///< of each member
};

Groups collect(const MergePlan& plan) {
  Groups groups;
  std::map<std::int64_t, std::int64_t> number;
  const auto add = [&](std::int64_t member, std::int64_t group) {
    groups.members.push_back(member);
    groups.group.push_back(group);
  };
  for (const PlannedMerge& merge : plan.merges) {
    const auto [place, is_new] = number.try_emplace(
        merge.destination, static_cast<std::int64_t>(groups.destinations.size()));
    if (is_new) {
      groups.destinations.push_back(merge.destination);
      add(merge.destination, place->second);
    }
    add(merge.source, place->second);
  }
  return groups;
}

/// [groups, members]: each row holds its members' shares, which sum to one. A small dense product
/// instead of a scatter-add keeps sums in one fixed order on every device.
at::Tensor shares(const MergePlan& plan, const Groups& groups) {
  const auto rows = static_cast<std::int64_t>(groups.destinations.size());
  const auto columns = static_cast<std::int64_t>(groups.members.size());
  std::vector<double> sums(groups.destinations.size(), 0.0);
  const auto weight = [&](std::size_t k) {
    return plan.combine == Combine::kWeightedMean
               ? static_cast<double>(plan.weights[groups.members[k]])
               : 1.0;
  };
  for (std::size_t k = 0; k < groups.members.size(); ++k) sums[groups.group[k]] += weight(k);
  at::Tensor matrix = at::zeros({rows, columns}, at::kFloat);
  auto* data = matrix.data_ptr<float>();
  for (std::size_t k = 0; k < groups.members.size(); ++k) {
    const std::int64_t row = groups.group[k];
    data[row * columns + static_cast<std::int64_t>(k)] = static_cast<float>(weight(k) / sums[row]);
  }
  return matrix;
}

/// [groups, 1]: the largest norm among a group's members over its destination's norm.
at::Tensor normRatios(const at::Tensor& members, const Groups& groups) {
  const at::Tensor norms = members.norm(2, {1}).to(at::kCPU, at::kFloat);
  const float* norm = norms.data_ptr<float>();
  std::vector<float> largest(groups.destinations.size(), 0.0F);
  std::vector<float> own(groups.destinations.size(), -1.0F);
  for (std::size_t k = 0; k < groups.members.size(); ++k) {
    const std::int64_t group = groups.group[k];
    if (groups.members[k] == groups.destinations[group]) own[group] = norm[k];
    largest[group] = std::max(largest[group], norm[k]);
  }
  at::Tensor ratios = at::ones({static_cast<std::int64_t>(own.size()), 1}, at::kFloat);
  for (std::size_t group = 0; group < own.size(); ++group) {
    if (own[group] > 0) ratios.data_ptr<float>()[group] = largest[group] / own[group];
  }
  return ratios;
}

at::Tensor indexTensor(const std::vector<std::int64_t>& index, at::Device device) {
  return at::tensor(index, at::kLong).to(device);
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

at::Tensor applyToTokens(const MergePlan& plan, const at::Tensor& tokens) {
  if (plan.merges.empty()) return tokens;
  const at::Device device = tokens.device();
  at::Tensor result = tokens.index_select(0, indexTensor(plan.order, device));
  if (plan.combine == Combine::kPrune) return result;

  const Groups groups = collect(plan);
  const at::ScalarType precision = tokens.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor members =
      tokens.index_select(0, indexTensor(groups.members, device)).to(precision);
  at::Tensor combined = shares(plan, groups).to(members.options()).mm(members);
  if (plan.combine == Combine::kNormPreserving) {
    combined = combined * normRatios(members, groups).to(members.options());
  }
  const std::vector<int> position = newPositions(plan, static_cast<std::size_t>(tokens.size(0)));
  std::vector<std::int64_t> rows;
  for (const std::int64_t destination : groups.destinations) rows.push_back(position[destination]);
  result.index_copy_(0, indexTensor(rows, device), combined.to(tokens.scalar_type()));
  return result;
}

std::vector<float> applyToSizes(const MergePlan& plan, const std::vector<float>& sizes) {
  if (plan.merges.empty()) return sizes;
  const std::vector<int> position = newPositions(plan, sizes.size());
  std::vector<float> result(plan.order.size(), 0.0F);
  for (std::size_t old = 0; old < sizes.size(); ++old) result[position[old]] += sizes[old];
  return result;
}

}  // namespace adamerge
