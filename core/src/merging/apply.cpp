// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/apply.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

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

/// [groups, members]: each row holds its members' shares. A small dense product instead of a
/// scatter-add keeps sums in one fixed order on every device.
at::Tensor shareMatrix(const MergePlan& plan, const Groups& groups) {
  const auto columns = static_cast<std::int64_t>(groups.members.size());
  at::Tensor matrix =
      at::zeros({static_cast<std::int64_t>(groups.destinations.size()), columns}, at::kFloat);
  const std::vector<float> shares = memberShares(plan, groups);
  for (std::size_t k = 0; k < shares.size(); ++k) {
    matrix.data_ptr<float>()[static_cast<std::int64_t>(groups.group[k]) * columns +
                             static_cast<std::int64_t>(k)] = shares[k];
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
    const std::size_t group = groups.group[k];
    if (groups.members[k] == groups.destinations[group]) own[group] = norm[k];
    largest[group] = std::max(largest[group], norm[k]);
  }
  at::Tensor ratios = at::ones({static_cast<std::int64_t>(own.size()), 1}, at::kFloat);
  for (std::size_t group = 0; group < own.size(); ++group) {
    if (own[group] > 0) ratios.data_ptr<float>()[group] = largest[group] / own[group];
  }
  return ratios;
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

std::int64_t remainingTokens(const MergePlan& plan, std::int64_t count) {
  return plan.merges.empty() ? count : static_cast<std::int64_t>(plan.order.size());
}

void plainApplyToTokens(const MergePlan& plan, const at::Tensor& tokens, at::Tensor merged) {
  if (plan.merges.empty()) {
    merged.copy_(tokens);
    return;
  }
  const at::Device device = tokens.device();
  merged.copy_(tokens.index_select(0, indexTensor(plan.order, device)));
  if (plan.combine == Combine::kPrune) return;

  const Groups groups = collect(plan);
  const at::ScalarType precision = tokens.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor members =
      tokens.index_select(0, indexTensor(groups.members, device)).to(precision);
  at::Tensor combined = shareMatrix(plan, groups).to(members.options()).mm(members);
  if (plan.combine == Combine::kNormPreserving) {
    combined = combined * normRatios(members, groups).to(members.options());
  }
  const std::vector<int> position = newPositions(plan, static_cast<std::size_t>(tokens.size(0)));
  std::vector<std::int64_t> rows;
  for (const std::int64_t destination : groups.destinations) rows.push_back(position[destination]);
  merged.index_copy_(0, indexTensor(rows, device), combined.to(tokens.scalar_type()));
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

std::vector<float> applyToSizes(const MergePlan& plan, const std::vector<float>& sizes) {
  if (plan.merges.empty()) return sizes;
  const std::vector<int> position = newPositions(plan, sizes.size());
  std::vector<float> result(plan.order.size(), 0.0F);
  for (std::size_t old = 0; old < sizes.size(); ++old) result[position[old]] += sizes[old];
  return result;
}

}  // namespace adamerge
