// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>

#include "merging/entries.h"
#include "merging/matching.h"
#include "merging/settings.h"
#include "merging/token_set.h"

namespace adamerge {
namespace {

/// A row of zeros counts as this long.
constexpr double kLeastLength = 1e-12;

std::vector<std::int64_t> everySecondOf(const std::vector<std::int64_t>& order, std::size_t first,
                                        std::size_t end) {
  std::vector<std::int64_t> picked;
  for (std::size_t k = first; k < end; k += 2) picked.push_back(order[k]);
  return picked;
}

class PiToMe final : public MergeMethod {
 public:
  PiToMe(const Settings& settings, const VitConfig& vit)
      : counts_(countsPerBlock(settings, vit)),
        keep_ratio_(get<double>(settings, "keep_ratio")),
        depth_(vit.depth) {}

  Stage stage() const override { return Stage::kBetweenAttentionAndMlp; }

 private:
  std::vector<MergePlan> planSet(std::span<const LayerTokens> images) const override {
    std::vector<MergePlan> plans(images.size());
    std::vector<std::int64_t> limits;
    for (const LayerTokens& image : images) {
      limits.push_back(static_cast<std::int64_t>(mergeable(image)));
    }
    const std::int64_t most = *std::max_element(limits.begin(), limits.end());
    if (most < 2) return plans;

    const TokenSet set =
        TokenSet(images, &LayerTokens::metric, images.front().prefix, Partition::kAlternating)
            .directions(kLeastLength);
    const at::Tensor cosines = set.gram();
    const at::Tensor order = byEnergy(set, cosines, images.front().block);
    // In that order sources and destinations take turns.
    const at::Tensor scores =
        set.between(cosines, order.slice(1, 0, most, 2), order.slice(1, 1, most, 2));
    const SetMatches found = set.best(scores, {}, {}, order, limits);
    forEachImage(images.size(), [&](std::size_t i) {
      if (limits[i] < 2) return;
      const std::vector<std::int64_t> own(found.along[i].begin(), found.along[i].end());
      plans[i] =
          decide(images[i], own, Sides(own, static_cast<std::size_t>(limits[i])), found.best[i]);
    });
    return plans;
  }

  /// Every second one of the mergeable, in the order of their energy, is a source.
  struct Sides {
    Sides(const std::vector<std::int64_t>& order, std::size_t mergeable)
        : sources(everySecondOf(order, 0, mergeable)),
          destinations(everySecondOf(order, 1, mergeable)) {}
    std::vector<std::int64_t> sources;
    std::vector<std::int64_t> destinations;
  };

  /// Early blocks match all tokens, later ones only the 2r of highest energy.
  std::size_t mergeable(const LayerTokens& layer) const {
    const std::int64_t r = count(layer);
    const bool early = layer.block < (depth_ + 1) / 2;
    return static_cast<std::size_t>(early && r > 0 ? layer.patchCount() : 2 * r);
  }

  MergePlan decide(const LayerTokens& layer, const std::vector<std::int64_t>& order,
                   const Sides& sides, const BestMatches& best) const {
    MergePlan plan;
    const std::int64_t n = layer.patchCount();
    const std::int64_t r = count(layer);
    plan.macs = static_cast<double>(n * n) * static_cast<double>(layer.metric.size(1));
    for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
    const auto keep = [&](std::int64_t patch) { plan.order.push_back(patch + layer.prefix); };
    const std::vector<std::int64_t> ranked = descending(best.score);
    for (std::size_t k = 0; k < ranked.size(); ++k) {
      const std::int64_t source = ranked[k];
      if (k < static_cast<std::size_t>(r)) {
        plan.merges.push_back({sides.sources[source] + layer.prefix,
                               sides.destinations[best.index[source]] + layer.prefix,
                               best.score[source]});
      } else {
        keep(sides.sources[source]);
      }
    }
    for (std::size_t k = mergeable(layer); k < order.size(); ++k) keep(order[k]);
    for (const std::int64_t destination : sides.destinations) keep(destination);
    plan.weights.assign(layer.sizes.begin(), layer.sizes.end());
    return plan;
  }

  std::int64_t count(const LayerTokens& layer) const {
    const auto n = static_cast<double>(layer.patchCount());
    const std::int64_t r = keep_ratio_ < 1.0
                               ? static_cast<std::int64_t>(std::floor(n - n * keep_ratio_))
                               : counts_[static_cast<std::size_t>(layer.block)];
    return std::max<std::int64_t>(0, std::min(r, layer.patchCount() / 2));
  }

  /// Patch tokens by energy (PiToMe, Eq. 4), highest first: E_i = mean_j ELU(cos_ij - margin).
  at::Tensor byEnergy(const TokenSet& set, const at::Tensor& cosines, int block) const {
    return set.ranked(set.eluMeans(cosines, margin(block)));
  }

  double margin(int block) const { return 0.75 - 0.75 * block / depth_; }

  std::vector<std::int64_t> counts_;
  double keep_ratio_;
  int depth_;
};

}  // namespace

MethodEntry piToMeEntry() {
  MethodEntry entry;
  entry.info.id = "pitome";
  entry.info.label = "PiToMe";
  entry.info.description =
      "Merges tokens of high energy, those in large clusters of similar tokens, and protects the "
      "rest.";
  entry.info.reference =
      "Tran et al., Accelerating Transformers with Spectrum-Preserving Token Merging, NeurIPS 2024";
  entry.info.matches_keys = true;
  entry.info.compression = {{"r", 0.5}};
  SettingInfo r = replaceableCountSetting();
  SettingInfo per_block = countsPerBlockSetting();
  for (SettingInfo* setting : {&r, &per_block})
    setting->active_when.emplace_back("keep_ratio", 1.0);
  SettingInfo ratio = realSetting(
      "keep_ratio", "Keep ratio",
      "Share of the patch tokens that every block keeps; 1 uses the constant r.", 1.0, 0.5, 1.0);
  entry.info.settings = {r, per_block, ratio};
  entry.make = [](const Settings& settings, const MethodContext& context) {
    return std::make_unique<PiToMe>(settings, context.vit);
  };
  return entry;
}

}  // namespace adamerge
