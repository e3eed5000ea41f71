// SPDX-License-Identifier: GPL-3.0-or-later
// ToMe, and ToFu, which matches as it does.
#include <fmt/format.h>

#include "adamerge/error.h"
#include "merging/compensator.h"
#include "merging/entries.h"
#include "merging/inside.h"
#include "merging/matching.h"
#include "merging/settings.h"

namespace adamerge {
namespace {

std::vector<std::int64_t> schedule(const Settings& settings, const VitConfig& vit) {
  const std::vector<std::int64_t> counts = countsPerBlock(settings, vit);
  if (!get<std::vector<std::int64_t>>(settings, "r_per_block").empty()) return counts;
  return inflectedSchedule(getInt(settings, "r"), get<double>(settings, "inflection"), vit.depth);
}

/// What the compensator that is named adds to the weights; nothing where none is.
std::vector<at::Tensor> compensation(const Settings& settings, const VitConfig& vit) {
  const std::string& file = get<std::string>(settings, "compensator");
  if (file.empty()) return {};
  const int r = getInt(settings, "r");
  if (!get<std::vector<std::int64_t>>(settings, "r_per_block").empty() ||
      get<double>(settings, "inflection") != 0 || r > Compensator::kDegrees) {
    throw Error(
        fmt::format("--compensator knows counts from 0 to {}, the same in every block: "
                    "give it --r in this range, and no other schedule",
                    Compensator::kDegrees));
  }
  if (vit.branches > 1) {
    throw Error(fmt::format(
        "--compensator: it changes one attention per block, and this model has {}", vit.branches));
  }
  const Compensator compensator(file, vit);
  return compensator.changes(getInt(settings, "source"), r, get<double>(settings, "scale"));
}

class ToMe final : public MergeMethod {
 public:
  ToMe(const Settings& settings, const VitConfig& vit)
      : counts_(schedule(settings, vit)),
        proportional_attention_(usesProportionalAttention(settings)),
        qkv_changes_(compensation(settings, vit)) {}
  Stage stage() const override { return Stage::kBetweenAttentionAndMlp; }
  bool proportionalAttention() const override { return proportional_attention_; }
  std::span<const at::Tensor> qkvChanges() const override { return qkv_changes_; }

 private:
  std::vector<MergePlan> planSet(std::span<const LayerTokens> images) const override {
    return toMePlans(images, counts_[static_cast<std::size_t>(images.front().block)]);
  }

  std::vector<std::int64_t> counts_;
  bool proportional_attention_;
  std::vector<at::Tensor> qkv_changes_;
};

class ToMeInside final : public MergeMethod {
 public:
  ToMeInside(const Settings& settings, const VitConfig& vit)
      : ratio_(getInt(settings, "ratio")),
        acts_(chosenBlocks(settings, "blocks", vit.depth)),
        proportional_attention_(usesProportionalAttention(settings)) {}
  Stage stage() const override { return Stage::kInsideWindows; }
  bool actsIn(int block) const override { return acts_[static_cast<std::size_t>(block)]; }
  bool proportionalAttention() const override { return proportional_attention_; }

 private:
  std::vector<MergePlan> planSet(std::span<const LayerTokens> windows) const override {
    std::vector<std::int64_t> counts;
    for (const LayerTokens& window : windows) counts.push_back(insideCount(ratio_, window.count()));
    return toMePlans(windows, counts);
  }

  std::int64_t ratio_;
  std::vector<bool> acts_;
  bool proportional_attention_;
};

std::vector<SettingInfo> compensatorSettings() {
  SettingInfo file =
      pathSetting("compensator", "Compensator",
                  "A file with a token compensator (ToCom, ECCV 2024): its weights repair what "
                  "changes between the count the model was trained with and r.");
  SettingInfo source =
      wholeSetting("source", "Trained with r",
                   "Merges per block that the model was trained with; 0: an unmerged one.", 0, 0,
                   Compensator::kDegrees);
  SettingInfo scale =
      realSetting("scale", "Compensation",
                  "How strongly the compensator acts; the paper searches 0.05 to 0.15.", 0.1, 0, 1);
  source.active_with = scale.active_with = file.key;
  return {file, source, scale};
}

class ToFu final : public MergeMethod {
 public:
  ToFu(const Settings& settings, const VitConfig& vit)
      : counts_(countsPerBlock(settings, vit)), depth_(vit.depth) {}
  Stage stage() const override { return Stage::kBetweenAttentionAndMlp; }

 private:
  std::vector<MergePlan> planSet(std::span<const LayerTokens> images) const override {
    const int block = images.front().block;
    std::vector<MergePlan> plans = toMePlans(images, counts_[static_cast<std::size_t>(block)]);
    for (MergePlan& plan : plans) {
      plan.combine = block <= depth_ / 2 ? Combine::kPrune : Combine::kNormPreserving;
    }
    return plans;
  }

  std::vector<std::int64_t> counts_;
  int depth_;
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
  CompressionKnob knob{"r"};
  knob.most = [](const Settings& settings, const VitConfig& vit) {
    const int half = vit.patchTokens() / 2;
    return get<std::string>(settings, "compensator").empty()
               ? half
               : std::min(half, Compensator::kDegrees);
  };
  constexpr int kHalf = 50;
  entry.info.compression = {knob, insideRatioKnob(kHalf)};
  entry.info.merges_inside = true;
  SettingInfo r = replaceableCountSetting();
  SettingInfo inflection = inflectionSetting();
  inflection.active_when = r.active_when;
  SettingInfo counts = countsPerBlockSetting();
  std::vector<SettingInfo> compensator = compensatorSettings();
  for (SettingInfo* setting : {&r, &inflection, &counts}) setting->scope = SettingScope::kSequence;
  for (SettingInfo& setting : compensator) setting.scope = SettingScope::kSequence;
  entry.info.settings = {r, inflection, counts, proportionalAttentionSetting(true)};
  entry.info.settings.insert(entry.info.settings.end(), compensator.begin(), compensator.end());
  entry.info.settings.push_back(insideRatioSetting(kHalf));
  entry.info.settings.push_back(insideBlocksSetting());
  entry.make = [](const Settings& settings,
                  const MethodContext& context) -> std::unique_ptr<MergeMethod> {
    if (context.vit.restores()) return std::make_unique<ToMeInside>(settings, context.vit);
    return std::make_unique<ToMe>(settings, context.vit);
  };
  return entry;
}

MethodEntry toFuEntry() {
  MethodEntry entry;
  entry.info.id = "tofu";
  entry.info.label = "ToFu";
  entry.info.description =
      "ToMe's matching; early blocks drop the source token, later ones merge preserving norms.";
  entry.info.reference =
      "Kim et al., Token Fusion: Bridging the Gap between Token Pruning and Token Merging, WACV "
      "2024";
  entry.info.matches_keys = true;
  entry.info.compression = {{"r", 0.5}};
  entry.info.settings = {replaceableCountSetting(), countsPerBlockSetting()};
  entry.make = [](const Settings& settings, const MethodContext& context) {
    return std::make_unique<ToFu>(settings, context.vit);
  };
  return entry;
}

}  // namespace adamerge
