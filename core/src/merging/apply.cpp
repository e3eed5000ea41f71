// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/apply.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "kernels/matching_ops.h"
#include "kernels/padded.h"
#include "merging/matching.h"

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
    if (plan.combine == Combine::kMaxMagnitude)
      std::sort(sources[group].begin(), sources[group].end());
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

/// What applyToAllTokens() reads, where the tokens are. Only images that merge have groups; those
/// of fewer groups or members are filled up with shares of 0.
struct PlacedGroups {
  at::Tensor order;
  at::Tensor members;  ///< [images, longest list of members], rows of the tokens
  at::Tensor shares;   ///< as wide, fp32
  at::Tensor within;   ///< [images, most groups, longest list]: is a member of the group
  at::Tensor firsts;   ///< of each group its destination among the members of all images
  at::Tensor groups;   ///< of each its place among [images * most groups]
  at::Tensor rows;     ///< of each its row of the merged tokens
};

/// Positions and shares on their way to the device in one copy: doubles hold positions exactly.
class Parcel {
 public:
  /// Returns where they start.
  template <typename Values>
  std::size_t add(const Values& values) {
    const std::size_t start = numbers_.size();
    numbers_.insert(numbers_.end(), values.begin(), values.end());
    return start;
  }
  void send(at::Device device) {
    sent_ = sentTo(device, at::tensor(numbers_));
    positions_ = sent_.to(at::kLong);
  }
  at::Tensor positions(std::size_t start, std::size_t count) const {
    return positions_.narrow(0, static_cast<std::int64_t>(start), static_cast<std::int64_t>(count));
  }
  at::Tensor numbers(std::size_t start, std::size_t count) const {
    return sent_.narrow(0, static_cast<std::int64_t>(start), static_cast<std::int64_t>(count));
  }

 private:
  std::vector<double> numbers_;
  at::Tensor sent_;
  at::Tensor positions_;
};

PlacedGroups placed(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                    at::Device device) {
  std::vector<Groups> merging;
  std::size_t most = 0;
  std::size_t longest = 0;
  for (const MergePlan& plan : plans) {
    if (plan.merges.empty()) continue;
    merging.push_back(collect(plan));
    most = std::max(most, merging.back().destinations.size());
    longest = std::max(longest, merging.back().members.size());
  }
  const std::size_t width = merging.size() * longest;
  std::vector<std::int64_t> order;
  std::vector<std::int64_t> members(width);
  std::vector<std::int64_t> numbers(width, -1);
  std::vector<float> shares(width);
  std::vector<std::size_t> firsts;
  std::vector<std::size_t> groups;
  std::vector<std::int64_t> rows;
  std::int64_t offset = 0;
  std::size_t image = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const auto new_offset = static_cast<std::int64_t>(order.size());
    if (!plans[i].changes()) {
      for (std::int64_t k = 0; k < counts[i]; ++k) order.push_back(offset + k);
    } else if (plans[i].merges.empty()) {
      for (const std::int64_t kept : plans[i].order) order.push_back(offset + kept);
    } else {
      const Groups& own = merging[image];
      const std::vector<float> share = memberShares(plans[i], own);
      const std::vector<int> position = newPositions(plans[i], static_cast<std::size_t>(counts[i]));
      for (const std::int64_t kept : plans[i].order) order.push_back(offset + kept);
      const std::size_t start = image * longest;
      std::fill_n(members.begin() + static_cast<std::ptrdiff_t>(start), longest,
                  offset + own.members.front());
      for (std::size_t k = 0; k < own.members.size(); ++k) {
        members[start + k] = offset + own.members[k];
        numbers[start + k] = static_cast<std::int64_t>(own.group[k]);
        shares[start + k] = share[k];
        if (k > 0 && own.group[k] == own.group[k - 1]) continue;
        firsts.push_back(start + k);
        groups.push_back(image * most + own.group[k]);
        rows.push_back(new_offset + position[own.members[k]]);
      }
      ++image;
    }
    offset += counts[i];
  }

  Parcel parcel;
  const std::size_t order_at = parcel.add(order);
  const std::size_t members_at = parcel.add(members);
  const std::size_t numbers_at = parcel.add(numbers);
  const std::size_t shares_at = parcel.add(shares);
  const std::size_t firsts_at = parcel.add(firsts);
  const std::size_t groups_at = parcel.add(groups);
  const std::size_t rows_at = parcel.add(rows);
  parcel.send(device);
  const auto images = static_cast<std::int64_t>(merging.size());
  const auto list = static_cast<std::int64_t>(longest);
  PlacedGroups result;
  result.order = parcel.positions(order_at, order.size());
  result.members = parcel.positions(members_at, width).reshape({images, list});
  result.shares = parcel.numbers(shares_at, width).to(at::kFloat).reshape({images, list});
  const at::Tensor number = parcel.positions(numbers_at, width).reshape({images, 1, list});
  const at::Tensor all = at::arange(static_cast<std::int64_t>(most), number.options());
  result.within = all.reshape({1, -1, 1}) == number;
  result.firsts = parcel.positions(firsts_at, firsts.size());
  result.groups = parcel.positions(groups_at, groups.size());
  result.rows = parcel.positions(rows_at, rows.size());
  return result;
}

/// [groups of all images, 1]: the largest norm among a group's members over its destination's norm;
/// 1 where that is 0.
at::Tensor normRatios(const at::Tensor& members, const PlacedGroups& placed_groups) {
  const at::Tensor norms = members.norm(2, {2}).to(at::kFloat);
  const at::Tensor own = norms.flatten().index_select(0, placed_groups.firsts);
  const at::Tensor largest = (placed_groups.within * norms.unsqueeze(1))
                                 .amax(2)
                                 .flatten()
                                 .index_select(0, placed_groups.groups);
  return at::where(own > 0, largest / own, at::ones_like(own)).unsqueeze(1);
}

/// [merging images, longest list, d] -> [groups of all images, d]: per channel the value of largest
/// magnitude. The destination stands first and the others rise, so a strict comparison keeps the
/// first of equals.
at::Tensor largestOf(const at::Tensor& members, const PlacedGroups& placed_groups) {
  const std::int64_t most = placed_groups.within.size(1);
  const std::int64_t groups = members.size(0) * most;
  at::Tensor largest = at::zeros({groups, members.size(2)}, members.options());
  at::Tensor begun = at::zeros({groups, 1}, members.options().dtype(at::kBool));
  for (std::int64_t k = 0; k < members.size(1); ++k) {
    const at::Tensor value =
        members.select(1, k).unsqueeze(1).expand({-1, most, -1}).reshape({groups, -1});
    const at::Tensor own = placed_groups.within.select(2, k).reshape({groups, 1});
    largest = at::where(own & (~begun | (value.abs() > largest.abs())), value, largest);
    begun = begun | own;
  }
  return largest.index_select(0, placed_groups.groups);
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
  if (plan.combine == Combine::kPrune || plan.merges.empty()) return;

  const Groups groups = collect(plan);
  const std::vector<float> share = memberShares(plan, groups);
  const std::vector<int> position = newPositions(plan, static_cast<std::size_t>(tokens.size(0)));
  for (std::size_t group = 0, k = 0; group < groups.destinations.size(); ++group) {
    float* sum = to + static_cast<std::size_t>(position[groups.destinations[group]]) * width;
    if (plan.combine == Combine::kMaxMagnitude) {
      for (; k < groups.members.size() && groups.group[k] == group; ++k) {
        const float* member = rowOf(groups.members[k]);
        for (std::size_t i = 0; i < width; ++i) {
          if (std::abs(member[i]) > std::abs(sum[i])) sum[i] = member[i];
        }
      }
      continue;
    }
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
  for (const PlannedDrop& drop : plan.dropped) {
    if (drop.stand_in >= 0) position[drop.position] = position[drop.stand_in];
  }
  return position;
}

std::int64_t remainingTokens(const MergePlan& plan, std::int64_t count) {
  return plan.changes() ? static_cast<std::int64_t>(plan.order.size()) : count;
}

void plainApplyToTokens(const MergePlan& plan, const at::Tensor& tokens, at::Tensor merged) {
  const std::int64_t count = tokens.size(0);
  applyToAllTokens({&plan, 1}, {&count, 1}, tokens, std::move(merged));
}

void applyToAllTokens(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                      const at::Tensor& tokens, at::Tensor merged) {
  const auto merges = [](const MergePlan& plan) { return !plan.merges.empty(); };
  const auto changes = [](const MergePlan& plan) { return plan.changes(); };
  if (std::none_of(plans.begin(), plans.end(), changes)) {
    merged.copy_(tokens);
    return;
  }
  const auto first = std::find_if(plans.begin(), plans.end(), merges);
  if (first == plans.end()) {
    std::vector<std::int64_t> order;
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < plans.size(); ++i) {
      for (std::int64_t k = 0; k < remainingTokens(plans[i], counts[i]); ++k) {
        order.push_back(offset +
                        (plans[i].changes() ? plans[i].order[static_cast<std::size_t>(k)] : k));
      }
      offset += counts[i];
    }
    at::index_select_out(merged, tokens, 0, sentTo(tokens.device(), at::tensor(order, at::kLong)));
    return;
  }
  const Combine combine = first->combine;
  for (const MergePlan& plan : plans) {
    if (merges(plan) && plan.combine != combine) {
      throw FaultyPlan("the images of one batch would combine their tokens in different ways");
    }
  }
  const PlacedGroups groups = placed(plans, counts, tokens.device());
  at::index_select_out(merged, tokens, 0, groups.order);
  if (combine == Combine::kPrune) return;

  const at::ScalarType precision = tokens.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor members = tokens.index_select(0, groups.members.flatten())
                                 .to(precision)
                                 .unflatten(0, groups.members.sizes());
  if (combine == Combine::kMaxMagnitude) {
    merged.index_copy_(0, groups.rows, largestOf(members, groups).to(tokens.scalar_type()));
    return;
  }
  // A small dense product per image instead of a scatter-add: sums in one fixed order on every
  // device, and the other images' values, which may not be finite, stay out of them.
  const at::Tensor shares = (groups.within * groups.shares.unsqueeze(1)).to(precision);
  at::Tensor combined = members.size(0) == 1
                            ? shares[0].mm(members[0])
                            : shares.bmm(members).flatten(0, 1).index_select(0, groups.groups);
  if (combine == Combine::kNormPreserving) {
    combined = combined * normRatios(members, groups).to(precision);
  }
  merged.index_copy_(0, groups.rows, combined.to(tokens.scalar_type()));
}

void applyToTokens(const MergePlan& plan, const at::Tensor& tokens, at::Tensor merged) {
  const bool rows = tokens.is_cpu() && tokens.scalar_type() == at::kFloat &&
                    tokens.stride(1) == 1 && merged.is_contiguous();
  if (rows && plan.changes()) {
    applyToRows(plan, tokens, merged);
  } else {
    plainApplyToTokens(plan, tokens, std::move(merged));
  }
}

std::vector<float> applyToSizes(const MergePlan& plan, const std::vector<float>& sizes) {
  if (!plan.changes()) return sizes;
  const std::vector<int> position = newPositions(plan, sizes.size());
  std::vector<float> own = sizes;
  if (plan.combine == Combine::kPrune) {
    for (const PlannedMerge& merge : plan.merges) own[merge.source] = 0;
  }
  for (const PlannedDrop& drop : plan.dropped) own[drop.position] = 0;
  std::vector<float> result(plan.order.size(), 0.0F);
  for (std::size_t old = 0; old < sizes.size(); ++old) {
    if (position[old] >= 0) result[position[old]] += own[old];
  }
  return result;
}

std::vector<std::int64_t> mostSimilar(const at::Tensor& tokens,
                                      const std::vector<std::int64_t>& rows,
                                      const std::vector<std::int64_t>& others,
                                      at::ScalarType dtype) {
  if (rows.empty()) return {};
  const auto taken = [&](const std::vector<std::int64_t>& positions) {
    const at::Tensor index = sentTo(tokens.device(), at::tensor(positions, at::kLong));
    return tokens.index_select(0, index).to(dtype).contiguous();
  };
  const at::Tensor own = taken(rows);
  const at::Tensor other = taken(others);
  const BestMatches best =
      bestProducts(dotProducts(own, other, dtype), inverseNorms(own, kLeastTokenNorm, dtype),
                   inverseNorms(other, kLeastTokenNorm, dtype));
  std::vector<std::int64_t> result;
  for (const std::int64_t index : best.index) {
    result.push_back(others[static_cast<std::size_t>(index)]);
  }
  return result;
}

void findStandIns(MergePlan& plan, const at::Tensor& tokens, std::int64_t prefix,
                  at::ScalarType dtype) {
  std::vector<std::int64_t> rows;
  for (const PlannedDrop& drop : plan.dropped) {
    if (drop.stand_in < 0) rows.push_back(drop.position);
  }
  if (rows.empty()) return;
  std::vector<std::int64_t> others(plan.order.begin() + prefix, plan.order.end());
  std::sort(others.begin(), others.end());
  const std::vector<std::int64_t> found = mostSimilar(tokens, rows, others, dtype);
  std::size_t k = 0;
  for (PlannedDrop& drop : plan.dropped) {
    if (drop.stand_in < 0) drop.stand_in = found[k++];
  }
}

}  // namespace adamerge
