// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "adamerge/error.h"
#include "merging/entries.h"
#include "merging/matching.h"
#include "merging/settings.h"

namespace adamerge {
namespace {

class Ppt final : public ImageMethod {
 public:
  Ppt(const Settings& settings, const VitConfig& vit)
      : counts_(givenCounts(settings, vit, vit.patchTokens() / 2)),
        threshold_(get<double>(settings, "threshold")) {
    if (!counts_.empty()) return;
    for (const bool chosen : chosenBlocks(settings, "blocks", vit.depth)) {
      counts_.push_back(chosen ? getInt(settings, "r") : 0);
    }
  }

  Stage stage() const override { return Stage::kBetweenAttentionAndMlp; }
  bool proportionalAttention() const override { return true; }
  bool actsIn(int block) const override { return counts_[static_cast<std::size_t>(block)] > 0; }
  WantedStatistics wanted(int block) const override {
    const bool acts = actsIn(block);
    return {.class_attention = acts, .value_norms = acts};
  }

  TokenPart reads(int /*block*/) const override { return &LayerTokens::metric; }
  MergePlan plan(const LayerTokens& layer) const override {
    const std::int64_t n = layer.patchCount();
    const std::int64_t r = std::min(counts_[static_cast<std::size_t>(layer.block)], n / 2);
    if (r <= 0) return {};
    const std::vector<double> scores = scoresOf(layer);
    const double variance = varianceOf(scores);
    const bool pools = variance < threshold_;
    MergePlan plan =
        pools ? std::move(toMePlans({&layer, 1}, r).front()) : pruned(layer, scores, r);
    plan.details.action = pools ? "pool" : "prune";
    plan.details.variance = variance;
    plan.details.score.assign(scores.begin(), scores.end());
    if (layer.trace) plan.salience = minMaxScaled(scores);
    return plan;
  }

 private:
  /// Class attention times length of the value, over their sum (PPT, Eq. 6).
  static std::vector<double> scoresOf(const LayerTokens& layer) {
    std::vector<double> scores;
    for (std::int64_t k = layer.prefix; k < layer.count(); ++k) {
      const auto index = static_cast<std::size_t>(k);
      scores.push_back(static_cast<double>(layer.attention->class_attention[index]) *
                       layer.attention->value_norms[index]);
    }
    const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
    for (double& score : scores) score /= sum;
    if (!(sum > 0) || !std::all_of(scores.begin(), scores.end(),
                                   [](double score) { return std::isfinite(score); })) {
      throw Error(fmt::format(
          "PPT in block {}: scores that are not numbers, since attention or values are not (NaN, "
          "infinity or all zero)",
          layer.block));
    }
    return scores;
  }

  static double varianceOf(const std::vector<double>& scores) {
    const auto n = static_cast<double>(scores.size());
    const double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / n;
    double sum = 0;
    for (const double score : scores) sum += (score - mean) * (score - mean);
    return sum / (n - 1);
  }

  /// The kept ones stand by their scores, highest first: a later block that pools takes even and
  /// odd places of that order.
  static MergePlan pruned(const LayerTokens& layer, const std::vector<double>& scores,
                          std::int64_t r) {
    std::vector<std::int64_t> ranked(scores.size());
    std::iota(ranked.begin(), ranked.end(), 0);
    std::stable_sort(ranked.begin(), ranked.end(),
                     [&](std::int64_t a, std::int64_t b) { return scores[a] > scores[b]; });
    MergePlan plan;
    for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
    const std::size_t kept = ranked.size() - static_cast<std::size_t>(r);
    for (std::size_t k = 0; k < ranked.size(); ++k) {
      const std::int64_t position = ranked[k] + layer.prefix;
      if (k < kept) {
        plan.order.push_back(position);
      } else {
        plan.dropped.push_back({position});
      }
    }
    return plan;
  }

  std::vector<std::int64_t> counts_;
  double threshold_;
};

}  // namespace

MethodEntry pptEntry() {
  MethodEntry entry;
  entry.info.id = "ppt";
  entry.info.label = "PPT";
  entry.info.description =
      "In a few blocks drops the tokens that the class token looks at least, or, where the scores "
      "vary little, merges as ToMe does.";
  entry.info.reference = "Wu et al., PPT: Token Pruning and Pooling for Efficient ViTs, 2023";
  entry.info.salience = "class attention times length of the value";
  entry.info.matches_keys = true;
  entry.info.compression = {{"r", 0.5}};
  SettingInfo r = constantCountSetting();
  r.help =
      "Tokens dropped or merged in each of the blocks; at most half of the patch tokens that "
      "are left.";
  constexpr std::int64_t kUsual = 49;
  r.fallback = kUsual;
  r.of_model = [](const VitConfig& vit) -> SettingValue {
    return static_cast<std::int64_t>((vit.patchTokens() + 3) / 4);
  };
  r.fallback_text = "a quarter of the patch tokens";
  SettingInfo per_block = countsPerBlockSetting();
  per_block.help =
      "A count for each block, as 0,0,0,49; blocks not named keep all. Replaces r and its blocks.";
  SettingInfo blocks = blocksSetting("Blocks, from 0, in which tokens go.");
  r.active_when = blocks.active_when = {{per_block.key, per_block.fallback}};
  const SettingInfo threshold = realSetting("threshold", "Threshold",
                                            "A block merges where the variance of its scores is "
                                            "below this, else it drops. 0 always drops, "
                                            "1 always merges.",
                                            7e-5, 0, 1);
  entry.info.settings = {r, blocks, per_block, threshold};
  entry.make = [](const Settings& settings, const MethodContext& context) {
    requireClassToken(context.vit, "PPT");
    return std::make_unique<Ppt>(settings, context.vit);
  };
  return entry;
}

}  // namespace adamerge
