// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/inside.h"

#include <algorithm>

#include "merging/settings.h"

namespace adamerge {
namespace {

SettingValue blocksOfWord(const std::string& word, const VitConfig& vit) {
  std::vector<std::int64_t> blocks;
  for (int block = 0; block < vit.depth; ++block) {
    const bool global =
        !vit.isWindowed() || vit.windows.sides[static_cast<std::size_t>(block)] == 0;
    if (word == "all" || (word == "global") == global) blocks.push_back(block);
  }
  return blocks;
}

/// Each token's number in the grid, at its place in the window.
std::vector<std::int64_t> rasterOf(const Window& window, int columns) {
  std::vector<std::int64_t> tokens;
  for (int row = 0; row < window.rows; ++row) {
    for (int column = 0; column < window.columns; ++column) {
      tokens.push_back(static_cast<std::int64_t>(window.top + row) * columns + window.left +
                       column);
    }
  }
  return tokens;
}

template <typename Value>
void place(const std::vector<Value>& values, const std::vector<std::int64_t>& tokens,
           std::size_t count, std::vector<Value>& grid) {
  if (values.empty()) return;
  grid.resize(count);
  for (std::size_t k = 0; k < values.size(); ++k) {
    grid[static_cast<std::size_t>(tokens[k])] = values[k];
  }
}

}  // namespace

SettingInfo insideRatioSetting(int most) {
  SettingInfo ratio = wholeSetting(
      "ratio", "Ratio (%)",
      "Per cent of each window's tokens that merge inside a part of the block, in networks that "
      "restore their grid in every block (Segment Anything, AFNO).",
      50, 0, most);
  ratio.scope = SettingScope::kInside;
  return ratio;
}

void addBlockWords(SettingInfo& blocks) {
  blocks.choices = {"all", "global", "windowed"};
  blocks.of_word = blocksOfWord;
}

SettingInfo insideBlocksSetting() {
  SettingInfo blocks = allBlocksSetting("Blocks (0-based) that merge inside.");
  blocks.scope = SettingScope::kInside;
  addBlockWords(blocks);
  return blocks;
}

CompressionKnob insideRatioKnob(int most) {
  CompressionKnob knob{"ratio"};
  knob.most = [most](const Settings&, const VitConfig&) { return most; };
  return knob;
}

std::int64_t insideCount(std::int64_t ratio, std::int64_t n) {
  return std::min(ratio * n / 100, n / 2);
}

void keepFirst(MergePlan& plan, std::int64_t r, std::int64_t count) {
  plan.merges.resize(std::min(plan.merges.size(), static_cast<std::size_t>(r)));
  std::vector<bool> gone(static_cast<std::size_t>(count), false);
  for (const PlannedMerge& merge : plan.merges) gone[static_cast<std::size_t>(merge.source)] = true;
  plan.order.clear();
  for (std::int64_t i = 0; i < count; ++i) {
    if (!gone[static_cast<std::size_t>(i)]) plan.order.push_back(i);
  }
}

MergePlan joinedPlan(std::span<const Window> windows, std::span<const MergePlan> plans,
                     int columns) {
  std::size_t count = 0;
  for (const Window& window : windows) {
    count += static_cast<std::size_t>(window.rows) * static_cast<std::size_t>(window.columns);
  }
  MergePlan joined;
  joined.weights.assign(count, 1.0F);
  for (std::size_t k = 0; k < windows.size(); ++k) {
    const MergePlan& plan = plans[k];
    const std::vector<std::int64_t> tokens = rasterOf(windows[k], columns);
    const auto at = [&](std::int64_t token) { return tokens[static_cast<std::size_t>(token)]; };
    if (plan.changes()) {
      for (const std::int64_t token : plan.order) joined.order.push_back(at(token));
      place(plan.weights, tokens, count, joined.weights);
    } else {
      joined.order.insert(joined.order.end(), tokens.begin(), tokens.end());
    }
    for (const PlannedMerge& merge : plan.merges) {
      joined.merges.push_back({at(merge.source), at(merge.destination), merge.similarity});
    }
    place(plan.salience, tokens, count, joined.salience);
    place(plan.details.score, tokens, count, joined.details.score);
    for (const int token : plan.details.prompted) {
      joined.details.prompted.push_back(static_cast<int>(at(token)));
    }
    joined.macs += plan.macs;
    if (k > 0) continue;
    // Of the block, the same in all its windows.
    joined.redundancy = plan.redundancy;
    joined.mu = plan.mu;
    joined.sigma = plan.sigma;
    joined.z = plan.z;
    joined.details.note = plan.details.note;
  }
  std::sort(joined.details.prompted.begin(), joined.details.prompted.end());
  return joined;
}

}  // namespace adamerge
