// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/entries.h"
#include "merging/matching.h"

namespace adamerge {
namespace {

class ToFu final : public MergeMethod {
 public:
  ToFu(std::int64_t r, int depth) : r_(r), depth_(depth) {}
  Stage stage() const override { return Stage::kBetweenAttentionAndMlp; }

 private:
  std::vector<MergePlan> planSet(std::span<const LayerTokens> images) const override {
    std::vector<MergePlan> plans = toMePlans(images, r_);
    const bool prunes = images.front().block <= depth_ / 2;
    for (MergePlan& plan : plans) {
      plan.combine = prunes ? Combine::kPrune : Combine::kNormPreserving;
    }
    return plans;
  }

  std::int64_t r_;
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
  entry.info.settings = {constantCountSetting()};
  entry.make = [](const Settings& settings, const MethodContext& context) {
    const std::int64_t r = getInt(settings, "r");
    requireCountFits(r, context.vit, "r");
    return std::make_unique<ToFu>(r, context.vit.depth);
  };
  return entry;
}

}  // namespace adamerge
