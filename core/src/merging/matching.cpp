// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/matching.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "adamerge/error.h"

namespace adamerge {
namespace {

/// Of a row of zeros.
constexpr double kLeastNorm = 1e-12;

std::vector<std::int64_t> everySecond(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> positions;
  for (std::int64_t i = first; i < count; i += 2) positions.push_back(i);
  return positions;
}

}  // namespace

std::vector<std::int64_t> descending(const std::vector<float>& values) {
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return values[a] > values[b]; });
  return order;
}

at::Tensor forDeciding(const at::Tensor& values) {
  const bool half = values.scalar_type() == at::kHalf || values.scalar_type() == at::kBFloat16;
  return values.to(half ? at::kFloat : at::kDouble);
}

at::Tensor normalisedRows(const at::Tensor& rows) {
  const at::Tensor full = forDeciding(rows);
  return full / full.norm(2, {1}, /*keepdim=*/true).clamp_min(kLeastNorm);
}

MergePlan toMePlan(const LayerTokens& layer, std::int64_t r, const ScoreMask& mask) {
  MergePlan plan;
  const std::int64_t count = layer.count();
  r = std::min(r, layer.patchCount() / 2);
  if (r <= 0) return plan;

  const at::Tensor metric = forDeciding(layer.metric);
  const at::Tensor factors = inverseNorms(metric, kLeastNorm);
  const std::vector<std::int64_t> sources = everySecond(0, count);
  const std::vector<std::int64_t> destinations = everySecond(1, count);
  const at::Tensor a = metric.slice(0, 0, count, 2);
  const at::Tensor b = metric.slice(0, 1, count, 2);
  at::Tensor scores = dotProducts(a, b, metric.scalar_type());
  plan.macs = static_cast<double>(scores.numel()) * static_cast<double>(metric.size(1));

  constexpr double kNever = -std::numeric_limits<double>::infinity();
  const std::int64_t prefix_sources = (layer.prefix + 1) / 2;
  const std::int64_t prefix_destinations = layer.prefix / 2;
  if (prefix_sources > 0) scores.narrow(0, 0, prefix_sources).fill_(kNever);
  if (prefix_destinations > 0) scores.narrow(1, 0, prefix_destinations).fill_(kNever);
  if (mask) mask(scores, sources, destinations);

  const BestMatches best =
      bestProducts(scores, {0, scores.size(0)}, {0, scores.size(1)}, 1,
                   factors.slice(0, 0, count, 2), factors.slice(0, 1, count, 2));
  const std::vector<std::int64_t> order = descending(best.score);
  std::vector<bool> merged(static_cast<std::size_t>(count), false);
  for (std::int64_t k = 0; k < r; ++k) {
    const std::int64_t source = order[k];
    if (!std::isfinite(best.score[source])) break;
    merged[sources[source]] = true;
    plan.merges.push_back({sources[source], destinations[best.index[source]], best.score[source]});
  }

  for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
  for (const auto* side : {&sources, &destinations}) {
    for (const std::int64_t position : *side) {
      if (position >= layer.prefix && !merged[position]) plan.order.push_back(position);
    }
  }
  plan.weights.assign(layer.sizes.begin(), layer.sizes.end());
  return plan;
}

SettingInfo constantCountSetting() {
  return {"r",
          "r",
          "Tokens merged in every block; at most half of the patch tokens that are left.",
          std::int64_t{8},
          0,
          kMaximumCount,
          {},
          std::nullopt};
}

SettingInfo proportionalAttentionSetting(bool fallback) {
  return {"proportional_attention",
          "Proportional attention",
          "Adds log(size) of each token to the attention logits, so that a merged token counts as "
          "many (ToMe, Sec. 3).",
          fallback,
          std::nullopt,
          std::nullopt,
          {},
          std::nullopt};
}

void requireCountFits(std::int64_t r, const VitConfig& vit, const char* option) {
  const int limit = vit.patchTokens() / 2;
  if (r > limit) {
    throw Error(fmt::format(
        "--{} {} is more than the tokens allow: this model has {} patch tokens, so at most {} can "
        "merge in one block",
        option, r, vit.patchTokens(), limit));
  }
}

}  // namespace adamerge
