// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "merging/entries.h"
#include "merging/matching.h"
#include "merging/settings.h"

namespace adamerge {
namespace {

/// Takes over, per channel, what is larger in `other` wherever `takes` [lines, length] says so.
void takeLarger(at::Tensor& merged, const at::Tensor& other, const at::Tensor& takes) {
  const at::Tensor larger = takes.unsqueeze(2).logical_and(other.abs() > merged.abs());
  merged = at::where(larger, other, merged);
}

}  // namespace

MergedLines mergeLines(const at::Tensor& tokens, std::int64_t r) {
  const std::int64_t lines = tokens.size(0);
  const std::int64_t length = tokens.size(1);
  r = std::min(r, length / 2);
  MergedLines result;
  result.kept.resize(static_cast<std::size_t>(lines));
  result.merges.resize(static_cast<std::size_t>(lines));

  // Of each token with the one to its right.
  at::Tensor cosines;
  if (r > 0) {
    const at::Tensor units =
        tokens / tokens.norm(2, {2}, /*keepdim=*/true).clamp_min(kLeastTokenNorm);
    cosines = (units.narrow(1, 0, length - 1) * units.narrow(1, 1, length - 1))
                  .sum(2)
                  .to(at::kCPU, at::kDouble)
                  .contiguous();
  }
  std::vector<std::int64_t> kept;  // among all lines
  const at::Tensor to_right = at::zeros({lines, length}, at::kBool);
  const at::Tensor to_left = at::zeros({lines, length}, at::kBool);
  for (std::int64_t line = 0; line < lines; ++line) {
    std::vector<PlannedMerge>& merges = result.merges[static_cast<std::size_t>(line)];
    const double* own = r > 0 ? cosines.data_ptr<double>() + line * (length - 1) : nullptr;
    // Rounding to fp32 would make equals of what is not.
    std::vector<std::pair<double, std::int64_t>> ranked;  // similarity, source
    std::vector<std::int64_t> destinations(static_cast<std::size_t>(length), -1);
    for (std::int64_t source = 1; r > 0 && source < length; source += 2) {
      const bool right = source + 1 < length && own[source] > own[source - 1];
      const double similarity = own[right ? source : source - 1];
      destinations[static_cast<std::size_t>(source)] = right ? source + 1 : source - 1;
      ranked.emplace_back(
          std::isnan(similarity) ? -std::numeric_limits<double>::infinity() : similarity, source);
    }
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    ranked.resize(static_cast<std::size_t>(r));
    std::vector<bool> gone(static_cast<std::size_t>(length), false);
    for (const auto& [similarity, source] : ranked) {
      const std::int64_t destination = destinations[static_cast<std::size_t>(source)];
      gone[static_cast<std::size_t>(source)] = true;
      merges.push_back({source, destination, static_cast<float>(similarity)});
      const at::Tensor& side = destination > source ? to_right : to_left;
      side.data_ptr<bool>()[line * length + destination] = true;
    }
    std::sort(merges.begin(), merges.end(),
              [](const PlannedMerge& a, const PlannedMerge& b) { return a.source < b.source; });
    for (std::int64_t position = 0; position < length; ++position) {
      if (gone[static_cast<std::size_t>(position)]) continue;
      result.kept[static_cast<std::size_t>(line)].push_back(position);
      kept.push_back(line * length + position);
    }
  }
  if (r == 0) {
    result.tokens = tokens;
    return result;
  }
  at::Tensor merged = tokens;
  takeLarger(merged, tokens.roll(1, 1), to_right.to(tokens.device()));
  takeLarger(merged, tokens.roll(-1, 1), to_left.to(tokens.device()));
  result.tokens = merged.flatten(0, 1)
                      .index_select(0, at::tensor(kept).to(tokens.device()))
                      .unflatten(0, {lines, length - r});
  return result;
}

namespace {

class CubistMerge final : public ImageMethod {
 public:
  CubistMerge(const Settings& settings, const VitConfig& vit)
      : r_(getInt(settings, "r")),
        acts_(chosenBlocks(settings, "at", vit.depth)),
        height_(vit.gridHeight()),
        width_(vit.gridWidth()) {}

  Stage stage() const override { return Stage::kBeforeBlock; }
  bool actsIn(int block) const override { return acts_[static_cast<std::size_t>(block)]; }
  TokenPart reads(int /*block*/) const override { return &LayerTokens::tokens; }

  MergePlan plan(const LayerTokens& layer) const override {
    const auto [height, width] = gridAt(layer.block);
    if (layer.patchCount() != height * width) {
      throw Error(
          fmt::format("CubistMerge needs whole rows and columns: block {} has {} patch "
                      "tokens, which are no grid of {} x {}",
                      layer.block, layer.patchCount(), height, width));
    }
    const MergedLines rows = mergeLines(layer.tokens.narrow(0, layer.prefix, layer.patchCount())
                                            .to(layer.deciding)
                                            .unflatten(0, {height, width}),
                                        r_);
    const MergedLines columns = mergeLines(rows.tokens.transpose(0, 1), r_);
    MergePlan plan = joined(layer, rows, columns, width);
    plan.combine = Combine::kMaxMagnitude;
    plan.macs = r_ > 0 ? 2.0 * static_cast<double>(height * width * layer.tokens.size(1)) : 0.0;
    plan.details.grid = {static_cast<int>(columns.tokens.size(1)),
                         static_cast<int>(columns.tokens.size(0))};
    return plan;
  }

 private:
  std::pair<std::int64_t, std::int64_t> gridAt(int block) const {
    std::int64_t height = height_;
    std::int64_t width = width_;
    for (int earlier = 0; earlier < block; ++earlier) {
      if (!actsIn(earlier)) continue;
      height -= std::min(r_, height / 2);
      width -= std::min(r_, width / 2);
    }
    return {height, width};
  }

  /// One plan of both directions: a token that went into another within its row goes with it where
  /// that one goes on within its column. Members follow each other as the two steps take them.
  static MergePlan joined(const LayerTokens& layer, const MergedLines& rows,
                          const MergedLines& columns, std::int64_t width) {
    const auto row_count = static_cast<std::int64_t>(rows.kept.size());
    const auto column_count = static_cast<std::int64_t>(columns.kept.size());
    /// Of the narrower grid's token at (row, column).
    const auto position = [&](std::int64_t row, std::int64_t column) {
      return layer.prefix + row * width +
             rows.kept[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
    };
    std::vector<std::vector<PlannedMerge>> within_row(static_cast<std::size_t>(layer.count()));
    for (std::int64_t row = 0; row < row_count; ++row) {
      for (PlannedMerge merge : rows.merges[static_cast<std::size_t>(row)]) {
        merge.source += layer.prefix + row * width;
        merge.destination += layer.prefix + row * width;
        within_row[static_cast<std::size_t>(merge.destination)].push_back(merge);
      }
    }
    MergePlan plan;
    const auto add = [&](const std::vector<PlannedMerge>& merges, std::int64_t destination) {
      for (PlannedMerge merge : merges) {
        merge.destination = destination;
        plan.merges.push_back(merge);
      }
    };
    for (std::int64_t column = 0; column < column_count; ++column) {
      const auto& kept = columns.kept[static_cast<std::size_t>(column)];
      for (const std::int64_t row : kept) {
        const std::int64_t own = position(row, column);
        add(within_row[static_cast<std::size_t>(own)], own);
      }
      for (const PlannedMerge& merge : columns.merges[static_cast<std::size_t>(column)]) {
        const std::int64_t source = position(merge.source, column);
        const std::int64_t destination = position(merge.destination, column);
        plan.merges.push_back({source, destination, merge.similarity});
        add(within_row[static_cast<std::size_t>(source)], destination);
      }
    }
    for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
    const std::size_t rows_left = columns.kept.front().size();
    for (std::size_t row = 0; row < rows_left; ++row) {
      for (std::int64_t column = 0; column < column_count; ++column) {
        plan.order.push_back(position(columns.kept[static_cast<std::size_t>(column)][row], column));
      }
    }
    return plan;
  }

  std::int64_t r_;
  std::vector<bool> acts_;
  std::int64_t height_;
  std::int64_t width_;
};

int halfTheShorterSide(const VitConfig& vit) {
  return std::min(vit.gridHeight(), vit.gridWidth()) / 2;
}

std::vector<SettingInfo> cubistMergeSettings() {
  SettingInfo r = wholeSetting(
      "r", "r", "Tokens that merge in every row, and then in every column; at most half of them.",
      2, 0, kMaximumCount);
  SettingInfo at = listSetting(
      "at", "At blocks",
      "Blocks (0-based) before which the grid shrinks, each time by r rows and columns.", {3});
  at.minimum = 0;
  at.maximum = kMaximumCount;
  at.of_model = [](const VitConfig& vit) -> SettingValue {
    return std::vector<std::int64_t>{vit.depth / 4};
  };
  at.fallback_text = "the block after a quarter of them";
  return {r, at};
}

}  // namespace

MethodEntry cubistMergeEntry() {
  MethodEntry entry;
  entry.info.id = "cubistmerge";
  entry.info.label = "CubistMerge";
  entry.info.description =
      "Merges neighbours within rows, then within columns, so that a smaller grid is left; each "
      "channel keeps its value of largest magnitude.";
  entry.info.reference =
      "CubistMerge: Spatial-Preserving Token Merging for Diverse ViT Backbones, arXiv 2509.21764";
  CompressionKnob knob{"r"};
  knob.most = [](const Settings& /*settings*/, const VitConfig& vit) {
    return halfTheShorterSide(vit);
  };
  entry.info.compression = {knob};
  entry.info.settings = cubistMergeSettings();
  entry.make = [](const Settings& settings, const MethodContext& context) {
    const VitConfig& vit = context.vit;
    if (getInt(settings, "r") > halfTheShorterSide(vit)) {
      throw Error(fmt::format(
          "--r {} is more than the grid allows: this model's is {} x {}, so at "
          "most {} can merge in a row or column",
          getInt(settings, "r"), vit.gridHeight(), vit.gridWidth(), halfTheShorterSide(vit)));
    }
    return std::make_unique<CubistMerge>(settings, vit);
  };
  return entry;
}

}  // namespace adamerge
