// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "adamerge/error.h"
#include "merging/entries.h"
#include "merging/matching.h"

namespace adamerge {
namespace {

std::vector<std::int64_t> schedule(const Settings& settings, const VitConfig& vit) {
  auto counts = get<std::vector<std::int64_t>>(settings, "r_per_block");
  if (counts.empty()) {
    const std::int64_t r = getInt(settings, "r");
    requireCountFits(r, vit, "r");
    return inflectedSchedule(r, get<double>(settings, "inflection"), vit.depth);
  }
  if (counts.size() > static_cast<std::size_t>(vit.depth)) {
    throw Error(fmt::format("--r-per-block has {} counts; this model has {} blocks", counts.size(),
                            vit.depth));
  }
  for (const std::int64_t r : counts) requireCountFits(r, vit, "r-per-block");
  counts.resize(static_cast<std::size_t>(vit.depth), 0);
  return counts;
}

class ToMe final : public MergeMethod {
 public:
  ToMe(std::vector<std::int64_t> counts, bool proportional_attention)
      : counts_(std::move(counts)), proportional_attention_(proportional_attention) {}
  Stage stage() const override { return Stage::kBetweenAttentionAndMlp; }
  bool proportionalAttention() const override { return proportional_attention_; }
  MergePlan plan(const LayerTokens& layer) const override { return toMePlan(layer, count(layer)); }
  std::vector<MergePlan> planAll(std::span<const LayerTokens> layers) const override {
    return toMePlans(layers, count(layers.front()));
  }

 private:
  std::int64_t count(const LayerTokens& layer) const {
    return counts_[static_cast<std::size_t>(layer.block)];
  }

  std::vector<std::int64_t> counts_;
  bool proportional_attention_;
};

}  // namespace

MethodEntry toMeEntry() {
  MethodEntry entry;
  entry.info.id = "tome";
  entry.info.label = "ToMe";
  entry.info.description =
      "Merges the r most similar pairs of alternating tokens, by attention keys, in every block.";
  entry.info.reference = "Bolya et al., Token Merging: Your ViT But Faster, ICLR 2023";
  entry.info.matches_keys = true;
  entry.info.compression = {{"r", 0.5}};
  SettingInfo r = constantCountSetting();
  r.active_when = {{"r_per_block", std::vector<std::int64_t>{}}};
  SettingInfo inflection = inflectionSetting();
  inflection.active_when = r.active_when;
  SettingInfo per_block{
      "r_per_block",
      "r per block",
      "A count for each block, as 8,8,4; blocks not named merge nothing. Replaces "
      "r.",
      std::vector<std::int64_t>{},
      0,
      kMaximumCount,
      {},
      std::nullopt};
  entry.info.settings = {r, inflection, per_block, proportionalAttentionSetting(true)};
  entry.make = [](const Settings& settings, const MethodContext& context) {
    return std::make_unique<ToMe>(schedule(settings, context.vit),
                                  get<bool>(settings, "proportional_attention"));
  };
  return entry;
}

}  // namespace adamerge
