// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/matching.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "adamerge/error.h"
#include "kernels/parallel.h"
#include "merging/token_set.h"

namespace adamerge {
namespace {

/// A row of zeros counts as this long.
constexpr double kLeastNorm = 1e-12;

std::int64_t toMeCount(const LayerTokens& layer, std::int64_t r) {
  return std::min(r, layer.patchCount() / 2);
}

/// From the best odd position of each even one.
MergePlan toMePlanOf(const LayerTokens& layer, std::int64_t r, const BestMatches& best) {
  MergePlan plan;
  const std::int64_t count = layer.count();
  r = toMeCount(layer, r);
  if (r <= 0) return plan;
  plan.macs = static_cast<double>((count + 1) / 2) * static_cast<double>(count / 2) *
              static_cast<double>(layer.metric.size(1));
  const std::vector<std::int64_t> order = descending(best.score);
  std::vector<bool> merged(static_cast<std::size_t>(count), false);
  for (std::int64_t k = 0; k < r; ++k) {
    const std::int64_t source = order[k];
    if (!std::isfinite(best.score[source])) break;
    merged[2 * source] = true;
    plan.merges.push_back({2 * source, 2 * best.index[source] + 1, best.score[source]});
  }

  for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
  for (const std::int64_t side : {0, 1}) {
    for (std::int64_t position = side; position < count; position += 2) {
      if (position >= layer.prefix && !merged[position]) plan.order.push_back(position);
    }
  }
  plan.weights.assign(layer.sizes.begin(), layer.sizes.end());
  return plan;
}

}  // namespace

std::vector<std::int64_t> descending(const std::vector<float>& values) {
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return values[a] > values[b]; });
  return order;
}

void forRowPieces(std::int64_t rows, const std::function<void(std::int64_t, std::int64_t)>& work) {
  constexpr std::int64_t kRows = 256;
  for (std::int64_t first = 0; first < rows;) {
    throwIfStopWithin();
    const std::int64_t last = rows - first < 2 * kRows ? rows : first + kRows;
    work(first, last);
    first = last;
  }
}

std::vector<MergePlan> toMePlans(std::span<const LayerTokens> images, std::int64_t r,
                                 const std::vector<std::vector<float>>& cells) {
  return toMePlans(images, std::vector<std::int64_t>(images.size(), r), cells);
}

std::vector<MergePlan> toMePlans(std::span<const LayerTokens> images,
                                 std::span<const std::int64_t> counts,
                                 const std::vector<std::vector<float>>& cells) {
  std::vector<MergePlan> plans(images.size());
  bool any = false;
  for (std::size_t i = 0; i < images.size(); ++i) any = any || toMeCount(images[i], counts[i]) > 0;
  if (!any) return plans;

  const TokenSet set(images, &LayerTokens::metric, /*first=*/0, Partition::kAlternating);
  const at::Tensor factors = set.inverseNorms(kLeastNorm);
  at::Tensor scores = set.products();
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  const std::int64_t prefix = images.front().prefix;
  if (prefix > 0) scores.narrow(1, 0, (prefix + 1) / 2).fill_(kNever);
  if (prefix > 1) scores.narrow(2, 0, prefix / 2).fill_(kNever);
  if (!cells.empty()) {
    const at::Tensor cell = set.values(cells);
    scores.masked_fill_(set.sources(cell).unsqueeze(2) != set.destinations(cell).unsqueeze(1),
                        kNever);
  }
  const SetMatches found = set.best(scores, set.sources(factors), set.destinations(factors));
  forEachImage(images.size(),
               [&](std::size_t i) { plans[i] = toMePlanOf(images[i], counts[i], found.best[i]); });
  return plans;
}

std::vector<std::int64_t> countsPerBlock(const Settings& settings, const VitConfig& vit) {
  std::vector<std::int64_t> counts = givenCounts(settings, vit, vit.patchTokens() / 2);
  if (counts.empty()) {
    const std::int64_t r = getInt(settings, "r");
    requireCountFits(r, vit, "r");
    counts.assign(static_cast<std::size_t>(vit.depth), r);
  }
  return counts;
}

std::vector<std::int64_t> givenCounts(const Settings& settings, const VitConfig& vit,
                                      std::int64_t most) {
  const auto depth = static_cast<std::size_t>(vit.depth);
  auto counts = get<std::vector<std::int64_t>>(settings, "r_per_block");
  if (counts.empty()) return counts;
  if (counts.size() > depth) {
    throw Error(fmt::format("--r-per-block has {} counts; this model has {} blocks", counts.size(),
                            vit.depth));
  }
  for (const std::int64_t r : counts) requireCountFits(r, vit, "r-per-block", most);
  counts.resize(depth, 0);
  return counts;
}

bool usesProportionalAttention(const Settings& settings) {
  const auto found = settings.find("proportional_attention");
  return found != settings.end() && std::get<bool>(found->second);
}

std::vector<std::int64_t> inflectedSchedule(std::int64_t r, double inflection, int depth) {
  const auto first = static_cast<std::int64_t>(static_cast<double>(r) * (1.0 - inflection));
  const std::int64_t last = 2 * r - first;
  const double step =
      depth > 1 ? static_cast<double>(last - first) / static_cast<double>(depth - 1) : 0.0;
  std::vector<std::int64_t> schedule;
  for (int block = 0; block < depth; ++block) {
    schedule.push_back(static_cast<std::int64_t>(static_cast<double>(first) + step * block));
  }
  return schedule;
}

std::vector<float> minMaxScaled(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double range = *high > *low ? *high - *low : 1.0;
  std::vector<float> scaled;
  for (const double value : values) scaled.push_back(static_cast<float>((value - *low) / range));
  return scaled;
}

void requireCountFits(std::int64_t r, const VitConfig& vit, const char* option) {
  requireCountFits(r, vit, option, vit.patchTokens() / 2);
}

void requireCountFits(std::int64_t r, const VitConfig& vit, const char* option,
                      std::int64_t limit) {
  if (r > limit) {
    throw Error(fmt::format(
        "--{} {} is more than the tokens allow: this model has {} patch tokens, so at most {} can "
        "merge in one block",
        option, r, vit.patchTokens(), limit));
  }
}

}  // namespace adamerge
