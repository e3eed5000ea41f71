// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/matching.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "adamerge/error.h"
#include "kernels/parallel.h"
#include "merging/batched_matching.h"

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

MergePlan toMePlan(const LayerTokens& layer, std::int64_t r, const std::vector<int>& cells) {
  if (toMeCount(layer, r) <= 0) return {};
  const std::int64_t count = layer.count();
  const at::Tensor metric = layer.metric.to(layer.deciding);
  const at::Tensor factors = inverseNorms(metric, kLeastNorm);
  const at::Tensor a = metric.slice(0, 0, count, 2);
  const at::Tensor b = metric.slice(0, 1, count, 2);
  at::Tensor scores = dotProducts(a, b, layer.deciding);

  constexpr double kNever = -std::numeric_limits<double>::infinity();
  const std::int64_t prefix_sources = (layer.prefix + 1) / 2;
  const std::int64_t prefix_destinations = layer.prefix / 2;
  if (prefix_sources > 0) scores.narrow(0, 0, prefix_sources).fill_(kNever);
  if (prefix_destinations > 0) scores.narrow(1, 0, prefix_destinations).fill_(kNever);
  if (!cells.empty()) {
    const at::Tensor cell = at::tensor(cells).to(scores.device());
    scores.masked_fill_(
        cell.slice(0, 0, count, 2).unsqueeze(1) != cell.slice(0, 1, count, 2).unsqueeze(0), kNever);
  }
  return toMePlanOf(layer, r,
                    bestProducts(scores, {0, scores.size(0)}, {0, scores.size(1)}, 1,
                                 factors.slice(0, 0, count, 2), factors.slice(0, 1, count, 2)));
}

std::vector<MergePlan> toMePlans(std::span<const LayerTokens> layers, std::int64_t r,
                                 const std::vector<std::vector<int>>& cells) {
  std::vector<MergePlan> plans(layers.size());
  const bool any = std::any_of(layers.begin(), layers.end(),
                               [&](const LayerTokens& layer) { return toMeCount(layer, r) > 0; });
  if (!any) return plans;

  std::vector<at::Tensor> metrics;
  for (const LayerTokens& layer : layers) metrics.push_back(layer.metric);
  const TokenBatch batch(metrics, layers.front().deciding);
  const std::int64_t longest = batch.padding.longest();
  const Positions even{0, (longest + 1) / 2};
  const Positions odd{1, longest / 2};
  const at::Tensor units = directions(batch.tokens, kLeastNorm);
  at::Tensor scores = take(units, even, 2, 1).bmm(take(units, odd, 2, 1).transpose(1, 2));

  constexpr double kNever = -std::numeric_limits<double>::infinity();
  const std::int64_t prefix = layers.front().prefix;
  scores.narrow(1, 0, (prefix + 1) / 2).fill_(kNever);
  scores.narrow(2, 0, prefix / 2).fill_(kNever);
  if (!cells.empty()) {
    std::vector<std::vector<float>> numbers;
    for (const std::vector<int>& image : cells) numbers.emplace_back(image.begin(), image.end());
    const at::Tensor cell = listsOf(batch.padding, numbers, scores);
    scores.masked_fill_(take(cell, even, 2, 1).unsqueeze(2) != take(cell, odd, 2, 1).unsqueeze(1),
                        kNever);
  }
  if (!batch.padding.even()) {
    scores = withoutColumns(scores, take(batch.padding.absent(), odd, 2, 1));
  }
  const auto [score, index] = scores.max(2);
  const HostRows host({score, index});
  parallelFor(static_cast<std::int64_t>(layers.size()), [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
      const std::int64_t sources = (layers[i].count() + 1) / 2;
      plans[i] = toMePlanOf(layers[i], r,
                            hostMatches(host.row(0, i, 0, sources), host.row(1, i, 0, sources)));
    }
  });
  return plans;
}

std::vector<MergePlan> plansOnHost(const MergeMethod& method, std::span<const LayerTokens> layers,
                                   at::Tensor LayerTokens::*part) {
  std::vector<at::Tensor> parts;
  for (const LayerTokens& layer : layers) parts.push_back(layer.*part);
  const at::Tensor host = at::cat(parts).to(at::kCPU);
  std::vector<LayerTokens> own(layers.begin(), layers.end());
  std::int64_t offset = 0;
  for (LayerTokens& layer : own) {
    const std::int64_t count = layer.count();
    layer.*part = host.narrow(0, offset, count);
    offset += count;
  }
  std::vector<MergePlan> plans(own.size());
  parallelFor(static_cast<std::int64_t>(own.size()), [&](std::int64_t first, std::int64_t last) {
    const c10::InferenceMode guard;
    for (std::int64_t i = first; i < last; ++i) {
      plans[static_cast<std::size_t>(i)] = method.plan(own[static_cast<std::size_t>(i)]);
    }
  });
  return plans;
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

SettingInfo countsPerBlockSetting() {
  return {"r_per_block",
          "r per block",
          "A count for each block, as 8,8,4; blocks not named merge nothing. Replaces r.",
          std::vector<std::int64_t>{},
          0,
          kMaximumCount,
          {},
          std::nullopt};
}

SettingInfo replaceableCountSetting() {
  SettingInfo r = constantCountSetting();
  r.active_when = {{"r_per_block", std::vector<std::int64_t>{}}};
  return r;
}

std::vector<std::int64_t> countsPerBlock(const Settings& settings, const VitConfig& vit) {
  const auto depth = static_cast<std::size_t>(vit.depth);
  auto counts = get<std::vector<std::int64_t>>(settings, "r_per_block");
  if (counts.empty()) {
    const std::int64_t r = getInt(settings, "r");
    requireCountFits(r, vit, "r");
    return std::vector<std::int64_t>(depth, r);
  }
  if (counts.size() > depth) {
    throw Error(fmt::format("--r-per-block has {} counts; this model has {} blocks", counts.size(),
                            vit.depth));
  }
  for (const std::int64_t r : counts) requireCountFits(r, vit, "r-per-block");
  counts.resize(depth, 0);
  return counts;
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

SettingInfo inflectionSetting() {
  return {"inflection",
          "Inflection",
          "Slope of the schedule: 0 keeps r constant, -1 merges 2r in the first block "
          "and none in the last, 1 the other way round.",
          0.0,
          -1.0,
          1.0,
          {},
          std::nullopt};
}

SettingInfo blocksSetting(const char* help) {
  SettingInfo setting;
  setting.key = "blocks";
  setting.label = "Blocks";
  setting.help = help;
  setting.fallback = std::vector<std::int64_t>{3, 6, 9};
  setting.minimum = 0;
  setting.maximum = kMaximumCount;
  setting.of_model = quarterBlocks;
  setting.fallback_text = "at a quarter, a half and three quarters of the depth";
  return setting;
}

SettingInfo allBlocksSetting(const char* help) {
  SettingInfo setting = blocksSetting(help);
  setting.of_model = [](const VitConfig& vit) -> SettingValue {
    std::vector<std::int64_t> blocks(static_cast<std::size_t>(vit.depth));
    std::iota(blocks.begin(), blocks.end(), 0);
    return blocks;
  };
  setting.fallback = setting.of_model(VitConfig{});
  setting.fallback_text = "all";
  return setting;
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
  const int limit = vit.patchTokens() / 2;
  if (r > limit) {
    throw Error(fmt::format(
        "--{} {} is more than the tokens allow: this model has {} patch tokens, so at most {} can "
        "merge in one block",
        option, r, vit.patchTokens(), limit));
  }
}

}  // namespace adamerge
