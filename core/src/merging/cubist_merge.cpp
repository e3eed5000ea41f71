// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/cubist_merge.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "merging/matching.h"

namespace adamerge {
namespace {

constexpr double kLeastNorm = 1e-6;

/// Takes over, per channel, what is larger in `other` wherever `takes` [lines, length] says so.
void takeLarger(at::Tensor& merged, const at::Tensor& other, const at::Tensor& takes) {
  const at::Tensor larger = takes.unsqueeze(2).logical_and(other.abs() > merged.abs());
  merged = at::where(larger, other, merged);
}

}  // namespace

MergedLines mergeLines(const at::Tensor& tokens, std::int64_t r) {
  const std::int64_t lines = tokens.size(0);
  const std::int64_t length = tokens.size(1);
  r = std::min(r, length / 2);
  MergedLines result;
  result.kept.resize(static_cast<std::size_t>(lines));
  result.merges.resize(static_cast<std::size_t>(lines));

  // Of each token with the one to its right.
  at::Tensor cosines;
  if (r > 0) {
    const at::Tensor units = tokens / tokens.norm(2, {2}, /*keepdim=*/true).clamp_min(kLeastNorm);
    cosines = (units.narrow(1, 0, length - 1) * units.narrow(1, 1, length - 1))
                  .sum(2)
                  .to(at::kCPU, at::kDouble)
                  .contiguous();
  }
  std::vector<std::int64_t> kept;  // among all lines
  const at::Tensor to_right = at::zeros({lines, length}, at::kBool);
  const at::Tensor to_left = at::zeros({lines, length}, at::kBool);
  for (std::int64_t line = 0; line < lines; ++line) {
    std::vector<PlannedMerge>& merges = result.merges[static_cast<std::size_t>(line)];
    const double* own = r > 0 ? cosines.data_ptr<double>() + line * (length - 1) : nullptr;
    // Rounding to fp32 would make equals of what is not.
    std::vector<std::pair<double, std::int64_t>> ranked;  // similarity, source
    std::vector<std::int64_t> destinations(static_cast<std::size_t>(length), -1);
    for (std::int64_t source = 1; r > 0 && source < length; source += 2) {
      const bool right = source + 1 < length && own[source] > own[source - 1];
      const double similarity = own[right ? source : source - 1];
      destinations[static_cast<std::size_t>(source)] = right ? source + 1 : source - 1;
      ranked.emplace_back(
          std::isnan(similarity) ? -std::numeric_limits<double>::infinity() : similarity, source);
    }
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    ranked.resize(static_cast<std::size_t>(r));
    std::vector<bool> gone(static_cast<std::size_t>(length), false);
    for (const auto& [similarity, source] : ranked) {
      const std::int64_t destination = destinations[static_cast<std::size_t>(source)];
      gone[static_cast<std::size_t>(source)] = true;
      merges.push_back({source, destination, static_cast<float>(similarity)});
      const at::Tensor& side = destination > source ? to_right : to_left;
      side.data_ptr<bool>()[line * length + destination] = true;
    }
    std::sort(merges.begin(), merges.end(),
              [](const PlannedMerge& a, const PlannedMerge& b) { return a.source < b.source; });
    for (std::int64_t position = 0; position < length; ++position) {
      if (gone[static_cast<std::size_t>(position)]) continue;
      result.kept[static_cast<std::size_t>(line)].push_back(position);
      kept.push_back(line * length + position);
    }
  }
  if (r == 0) {
    result.tokens = tokens;
    return result;
  }
  at::Tensor merged = tokens;
  takeLarger(merged, tokens.roll(1, 1), to_right.to(tokens.device()));
  takeLarger(merged, tokens.roll(-1, 1), to_left.to(tokens.device()));
  result.tokens = merged.flatten(0, 1)
                      .index_select(0, at::tensor(kept).to(tokens.device()))
                      .unflatten(0, {lines, length - r});
  return result;
}

}  // namespace adamerge
