// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "adamerge/error.h"
#include "merging/entries.h"
#include "merging/matching.h"
#include "merging/settings.h"

namespace adamerge {
namespace {

class Dsm final : public MergeMethod {
 public:
  Dsm(const Settings& settings, const VitConfig& vit)
      : counts_(countsPerBlock(settings, vit)),
        delay_(getInt(settings, "delay")),
        window_(getInt(settings, "window")),
        proportional_attention_(get<bool>(settings, "proportional_attention")),
        grid_height_(vit.gridHeight()),
        grid_width_(vit.gridWidth()) {}

  Stage stage() const override { return Stage::kBetweenAttentionAndMlp; }
  bool proportionalAttention() const override { return proportional_attention_; }

 private:
  std::vector<MergePlan> planSet(std::span<const LayerTokens> images) const override {
    const int block = images.front().block;
    if (block < delay_) return std::vector<MergePlan>(images.size());
    std::vector<std::vector<float>> cells;
    if (windowAt(block) > 1) {
      for (const LayerTokens& image : images) cells.push_back(cellOfTokens(image));
    }
    return toMePlans(images, counts_[static_cast<std::size_t>(block)], cells);
  }

  int windowAt(int block) const {
    // Shifting past the width of int is undefined; no window is that wide.
    return std::max(1, window_ >> std::min(block - delay_, 30));
  }

  /// The cell of the window x window partition that holds each token's centroid.
  std::vector<float> cellOfTokens(const LayerTokens& layer) const {
    const int window = windowAt(layer.block);
    struct Sum {
      double row = 0;
      double column = 0;
      int patches = 0;
    };
    std::vector<Sum> sums(static_cast<std::size_t>(layer.count()));
    for (std::size_t patch = 0; patch < layer.patch_tokens.size(); ++patch) {
      const int token = layer.patch_tokens[patch];
      if (token < 0) continue;
      Sum& sum = sums[static_cast<std::size_t>(token)];
      const std::size_t row = patch / static_cast<std::size_t>(grid_width_);
      const std::size_t column = patch % static_cast<std::size_t>(grid_width_);
      sum.row += static_cast<double>(row) + 0.5;
      sum.column += static_cast<double>(column) + 0.5;
      ++sum.patches;
    }
    std::vector<float> cells(sums.size(), -1.0F);
    for (std::size_t token = 0; token < sums.size(); ++token) {
      if (sums[token].patches == 0) continue;
      const auto cell = [&](double sum, int extent) {
        return std::min(window - 1, static_cast<int>(sum / sums[token].patches / extent * window));
      };
      cells[token] = static_cast<float>(cell(sums[token].row, grid_height_) * window +
                                        cell(sums[token].column, grid_width_));
    }
    return cells;
  }

  std::vector<std::int64_t> counts_;
  int delay_;
  int window_;
  bool proportional_attention_;
  int grid_height_;
  int grid_width_;
};

}  // namespace

MethodEntry dsmEntry() {
  MethodEntry entry;
  entry.info.id = "dsm";
  entry.info.label = "DSM";
  entry.info.description = "Delayed spatial merging: ToMe from block d on, none before.";
  entry.info.reference =
      "Heo et al., Training-free Acceleration of ViTs with Delayed Spatial Merging, ES-FoMo 2024";
  entry.info.matches_keys = true;
  entry.info.compression = {{"r", 0.5}};
  SettingInfo delay = wholeSetting("delay", "d", "Blocks before this one merge nothing (0-based).",
                                   4, 0, kMaximumCount);
  delay.in_name = true;
  delay.of_model = [](const VitConfig& vit) -> SettingValue {
    return std::int64_t{std::clamp(vit.depth - 1, 0, 4)};
  };
  delay.fallback_text = "4, in a network of fewer blocks the last";
  SettingInfo window =
      wholeSetting("window", "Spatial window",
                   "Only tokens whose centroids lie in the same cell of a w x w partition of the "
                   "grid merge; w halves at each following block. 1: no limit.",
                   1, 1, 64);
  entry.info.settings = {replaceableCountSetting(), countsPerBlockSetting(), delay, window,
                         proportionalAttentionSetting(true)};
  entry.make = [](const Settings& settings, const MethodContext& context) {
    const int delay_layer = getInt(settings, "delay");
    if (delay_layer >= context.vit.depth) {
      throw Error(
          fmt::format("--delay {} leaves no block to merge in: this model has {} blocks, so "
                      "the delay is 0 to {}",
                      delay_layer, context.vit.depth, context.vit.depth - 1));
    }
    return std::make_unique<Dsm>(settings, context.vit);
  };
  return entry;
}

}  // namespace adamerge
