// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/parallel.h"
#include "merging/batched_matching.h"
#include "merging/entries.h"
#include "merging/matching.h"

namespace adamerge {
namespace {

/// A row of zeros counts as this long.
constexpr double kLeastLength = 1e-12;

/// Rows divided by their length, in `dtype`.
at::Tensor normalisedRows(const at::Tensor& rows, at::ScalarType dtype) {
  const at::Tensor full = rows.to(dtype);
  return full / full.norm(2, {1}, /*keepdim=*/true).clamp_min(kLeastLength);
}

std::vector<std::int64_t> everySecondOf(const std::vector<std::int64_t>& order, std::size_t first,
                                        std::size_t end) {
  std::vector<std::int64_t> picked;
  for (std::size_t k = first; k < end; k += 2) picked.push_back(order[k]);
  return picked;
}

class PiToMe final : public MergeMethod {
 public:
  PiToMe(const Settings& settings, int depth)
      : r_(getInt(settings, "r")),
        keep_ratio_(get<double>(settings, "keep_ratio")),
        depth_(depth) {}

  Stage stage() const override { return Stage::kBetweenAttentionAndMlp; }

  MergePlan plan(const LayerTokens& layer) const override {
    if (count(layer.patchCount()) <= 0) return {};
    const at::Tensor metric =
        normalisedRows(layer.metric.narrow(0, layer.prefix, layer.patchCount()), layer.deciding);
    const at::Tensor cosine = gramMatrix(metric, layer.deciding);
    const std::vector<std::int64_t> order = byEnergy(cosine, layer.block);
    const Sides sides(order, mergeable(layer));
    const auto index = [&](const std::vector<std::int64_t>& list) {
      return at::tensor(list, at::kLong).to(cosine.device());
    };
    return decide(layer, order, sides,
                  bestMatches(cosine.index_select(0, index(sides.sources))
                                  .index_select(1, index(sides.destinations))));
  }

  std::vector<MergePlan> planAll(std::span<const LayerTokens> layers) const override {
    std::vector<MergePlan> plans(layers.size());
    std::vector<at::Tensor> metrics;
    std::vector<std::int64_t> limits;
    for (const LayerTokens& layer : layers) {
      metrics.push_back(layer.metric.narrow(0, layer.prefix, layer.patchCount()));
      limits.push_back(static_cast<std::int64_t>(mergeable(layer)));
    }
    if (*std::max_element(limits.begin(), limits.end()) < 2) return plans;

    const TokenBatch batch(metrics, layers.front().deciding);
    const at::Tensor units = directions(batch.tokens, kLeastLength);
    at::Tensor each = at::elu(units.bmm(units.transpose(1, 2)) - margin(layers.front().block));
    if (!batch.padding.even()) each = each.masked_fill(batch.padding.absent().unsqueeze(1), 0);
    at::Tensor energy = each.sum(2).div(batch.padding.counts()).to(at::kFloat);
    energy = energy.masked_fill(energy.isnan(), 0);
    if (!batch.padding.even()) {
      energy = energy.masked_fill(batch.padding.absent(), -std::numeric_limits<double>::infinity());
    }
    const at::Tensor order =
        std::get<1>(energy.sort(/*stable=*/true, /*dim=*/1, /*descending=*/true));

    // In that order sources and destinations take turns.
    const auto [least, most] = std::minmax_element(limits.begin(), limits.end());
    const at::Tensor ranked =
        units.gather(1, order.narrow(1, 0, *most).unsqueeze(2).expand({-1, -1, units.size(2)}));
    const Positions even{0, (*most + 1) / 2};
    const Positions odd{1, *most / 2};
    at::Tensor scores = take(ranked, even, 2, 1).bmm(take(ranked, odd, 2, 1).transpose(1, 2));
    if (*least < *most) {
      const at::Tensor limit = sentTo(order.device(), at::tensor(limits)).unsqueeze(1);
      scores =
          withoutColumns(scores, at::arange(1, *most, 2, limit.options()).unsqueeze(0) >= limit);
    }
    const auto [score, index] = scores.max(2);
    const HostRows host({order, score, index});
    parallelFor(
        static_cast<std::int64_t>(layers.size()), [&](std::int64_t first, std::int64_t last) {
          for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
            if (limits[i] < 2) continue;
            const std::span<const float> own = host.row(0, i, 0, layers[i].patchCount());
            const std::vector<std::int64_t> positions(own.begin(), own.end());
            const Sides sides(positions, static_cast<std::size_t>(limits[i]));
            const auto sources = static_cast<std::int64_t>(sides.sources.size());
            plans[i] = decide(layers[i], positions, sides,
                              hostMatches(host.row(1, i, 0, sources), host.row(2, i, 0, sources)));
          }
        });
    return plans;
  }

 private:
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
    const std::int64_t r = count(layer.patchCount());
    const bool early = layer.block < (depth_ + 1) / 2;
    return static_cast<std::size_t>(early && r > 0 ? layer.patchCount() : 2 * r);
  }

  MergePlan decide(const LayerTokens& layer, const std::vector<std::int64_t>& order,
                   const Sides& sides, const BestMatches& best) const {
    MergePlan plan;
    const std::int64_t n = layer.patchCount();
    const std::int64_t r = count(n);
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

  std::int64_t count(std::int64_t patches) const {
    const auto n = static_cast<double>(patches);
    const std::int64_t r =
        keep_ratio_ < 1.0 ? static_cast<std::int64_t>(std::floor(n - n * keep_ratio_)) : r_;
    return std::max<std::int64_t>(0, std::min(r, patches / 2));
  }

  /// Patch tokens by energy (PiToMe, Eq. 4), highest first: E_i = mean_j ELU(cos_ij - margin).
  std::vector<std::int64_t> byEnergy(const at::Tensor& cosine, int block) const {
    const at::Tensor energy =
        at::elu(cosine - margin(block)).mean(1).to(at::kCPU, at::kFloat).contiguous();
    std::vector<float> values(energy.data_ptr<float>(), energy.data_ptr<float>() + energy.numel());
    std::replace_if(
        values.begin(), values.end(), [](float e) { return std::isnan(e); }, 0.0F);
    return descending(values);
  }

  double margin(int block) const { return 0.75 - 0.75 * block / depth_; }

  std::int64_t r_;
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
  SettingInfo r = constantCountSetting();
  r.active_when = {{"keep_ratio", 1.0}};
  SettingInfo ratio{"keep_ratio",
                    "Keep ratio",
                    "Share of the patch tokens that every block keeps; 1 uses the constant r.",
                    1.0,
                    0.5,
                    1.0,
                    {},
                    std::nullopt};
  entry.info.settings = {r, ratio};
  entry.make = [](const Settings& settings, const MethodContext& context) {
    requireCountFits(getInt(settings, "r"), context.vit, "r");
    return std::make_unique<PiToMe>(settings, context.vit.depth);
  };
  return entry;
}

}  // namespace adamerge
