// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/common_settings.h"
#include "merging/entries.h"
#include "merging/matching.h"

namespace adamerge {
namespace {

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
