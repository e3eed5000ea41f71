// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>

#include "merging/entries.h"
#include "merging/matching.h"

namespace adamerge {
namespace {

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
    MergePlan plan;
    const std::int64_t r = count(layer.patchCount());
    if (r <= 0) return plan;

    const at::Tensor metric =
        normalisedRows(layer.metric.narrow(0, layer.prefix, layer.patchCount()));
    const at::Tensor cosine = gramMatrix(metric, metric.scalar_type());
    plan.macs = static_cast<double>(cosine.numel()) * static_cast<double>(metric.size(1));

    const std::vector<std::int64_t> order = byEnergy(cosine, layer.block);
    // Early blocks match all tokens, later ones only the 2r of highest energy.
    const bool early = layer.block < (depth_ + 1) / 2;
    const std::size_t mergeable = early ? order.size() : static_cast<std::size_t>(2 * r);
    const std::vector<std::int64_t> sources = everySecondOf(order, 0, mergeable);
    const std::vector<std::int64_t> destinations = everySecondOf(order, 1, mergeable);
    const auto index = [&](const std::vector<std::int64_t>& list) {
      return at::tensor(list, at::kLong).to(cosine.device());
    };
    const BestMatches best =
        bestMatches(cosine.index_select(0, index(sources)).index_select(1, index(destinations)));

    for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
    const auto keep = [&](std::int64_t patch) { plan.order.push_back(patch + layer.prefix); };
    const std::vector<std::int64_t> ranked = descending(best.score);
    for (std::size_t k = 0; k < ranked.size(); ++k) {
      const std::int64_t source = ranked[k];
      if (k < static_cast<std::size_t>(r)) {
        plan.merges.push_back({sources[source] + layer.prefix,
                               destinations[best.index[source]] + layer.prefix,
                               best.score[source]});
      } else {
        keep(sources[source]);
      }
    }
    for (std::size_t k = mergeable; k < order.size(); ++k) keep(order[k]);
    for (const std::int64_t destination : destinations) keep(destination);
    plan.weights.assign(layer.sizes.begin(), layer.sizes.end());
    return plan;
  }

 private:
  std::int64_t count(std::int64_t patches) const {
    const auto n = static_cast<double>(patches);
    const std::int64_t r =
        keep_ratio_ < 1.0 ? static_cast<std::int64_t>(std::floor(n - n * keep_ratio_)) : r_;
    return std::min(r, patches / 2);
  }

  /// Patch tokens by energy (PiToMe, Eq. 4), highest first: E_i = mean_j ELU(cos_ij - margin).
  std::vector<std::int64_t> byEnergy(const at::Tensor& cosine, int block) const {
    const double margin = 0.75 - 0.75 * block / depth_;
    const at::Tensor energy =
        at::elu(cosine - margin).mean(1).to(at::kCPU, at::kFloat).contiguous();
    std::vector<float> values(energy.data_ptr<float>(), energy.data_ptr<float>() + energy.numel());
    std::replace_if(
        values.begin(), values.end(), [](float e) { return std::isnan(e); }, 0.0F);
    return descending(values);
  }

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
