// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "merging/entries.h"
#include "merging/inside.h"
#include "merging/matching.h"
#include "merging/settings.h"

namespace adamerge {
namespace {

constexpr int kLeastPatches = 4;

/// Throws Error for those that do not lie in the picture.
void requireInPicture(const Prompts& prompts, const InputPlace& place) {
  const int width = place.picture.width > 0 ? place.picture.width : place.width;
  const int height = place.picture.height > 0 ? place.picture.height : place.height;
  for (std::size_t i = 0; i + 3 < prompts.boxes.size(); i += 4) {
    const auto* box = &prompts.boxes[i];
    if (box[0] >= box[2] || box[1] >= box[3]) {
      throw Error(
          fmt::format("--prompt-box {},{},{},{} is empty: X0,Y0,X1,Y1 with X0 < X1 and "
                      "Y0 < Y1 is expected",
                      box[0], box[1], box[2], box[3]));
    }
    if (box[0] >= width || box[1] >= height || box[2] <= 0 || box[3] <= 0) {
      throw Error(fmt::format("--prompt-box {},{},{},{} lies outside the picture of {} x {} pixels",
                              box[0], box[1], box[2], box[3], width, height));
    }
  }
  for (std::size_t i = 0; i + 1 < prompts.points.size(); i += 2) {
    const std::int64_t x = prompts.points[i];
    const std::int64_t y = prompts.points[i + 1];
    if (x < 0 || y < 0 || x >= width || y >= height) {
      throw Error(fmt::format("--prompt-point {},{} lies outside the picture of {} x {} pixels", x,
                              y, width, height));
    }
  }
}

/// Which tokens of a window prompts lie on: those that a box overlaps, those that hold a point.
std::vector<char> promptedTokens(const Prompts& prompts, const InputPlace& place,
                                 const Window& window) {
  std::vector<char> tokens(
      static_cast<std::size_t>(window.rows) * static_cast<std::size_t>(window.columns), 0);
  const auto column = [&](std::int64_t x) {
    return (static_cast<double>(x) * place.picture.scale_x + place.picture.offset_x) /
           place.patch_size;
  };
  const auto row = [&](std::int64_t y) {
    return (static_cast<double>(y) * place.picture.scale_y + place.picture.offset_y) /
           place.patch_size;
  };
  for (int r = 0; r < window.rows; ++r) {
    for (int c = 0; c < window.columns; ++c) {
      const double top = window.top + r;
      const double left = window.left + c;
      bool prompted = false;
      for (std::size_t i = 0; i + 3 < prompts.boxes.size(); i += 4) {
        const auto* box = &prompts.boxes[i];
        prompted = prompted || (column(box[0]) < left + 1 && column(box[2]) > left &&
                                row(box[1]) < top + 1 && row(box[3]) > top);
      }
      for (std::size_t i = 0; i + 1 < prompts.points.size(); i += 2) {
        prompted = prompted || (std::floor(column(prompts.points[i])) == left &&
                                std::floor(row(prompts.points[i + 1])) == top);
      }
      tokens[static_cast<std::size_t>(r * window.columns + c)] = prompted ? 1 : 0;
    }
  }
  return tokens;
}

class StructSam final : public ImageMethod {
 public:
  StructSam(const Settings& settings, const VitConfig& vit)
      : inside_(vit.restores()),
        acts_(chosenBlocks(settings, "blocks", vit.depth)),
        height_(vit.gridHeight()),
        width_(vit.gridWidth()) {
    rule_.gradient = get<std::string>(settings, "gradient") == "sobel" ? GridGradient::kSobel
                                                                       : GridGradient::kCentral;
    rule_.cell = getInt(settings, "cell");
    rule_.flat = getInt(settings, "flat");
    rule_.ratio = getInt(settings, "ratio");
    if (!vit.isWindowed()) return;
    proportional_attention_ = usesProportionalAttention(settings);
    prompts_ = promptsOf(settings);
    all_outside_ = prompts_.any() && get<std::string>(settings, "outside") == "all";
  }

  Stage stage() const override { return inside_ ? Stage::kInsideWindows : Stage::kAroundAttention; }
  bool proportionalAttention() const override { return proportional_attention_; }
  void requireSuits(const InputPlace& place) const override { requireInPicture(prompts_, place); }
  bool actsIn(int block) const override { return acts_[static_cast<std::size_t>(block)]; }

  TokenPart reads(int /*block*/) const override { return &LayerTokens::metric; }
  MergePlan plan(const LayerTokens& layer) const override {
    const std::int64_t height = inside_ ? layer.window->rows : height_;
    const std::int64_t width = inside_ ? layer.window->columns : width_;
    StructSamPrompts prompts;
    if (prompts_.any()) {
      prompts.tokens = promptedTokens(prompts_, *layer.place, *layer.window);
      prompts.outside = all_outside_;
    }
    StructSamRule rule = rule_;
    if (height * width < kLeastPatches) rule.ratio = 0;  // such a window stays whole
    const StructSamMerges decided =
        structSamMerges(layer.metric.narrow(0, layer.prefix, layer.patchCount())
                            .to(layer.deciding)
                            .unflatten(0, {height, width}),
                        rule, prompts);
    MergePlan plan;
    plan.macs = decided.macs;
    plan.details.score.assign(decided.energy.begin(), decided.energy.end());
    plan.details.prompted.assign(decided.prompted.begin(), decided.prompted.end());
    // Inside windows settle() scales it over the whole grid.
    if (!inside_) plan.salience = minMaxScaled(decided.energy);
    if (!inside_) plan.details.note = noteOf(decided.merges.size(), wantedOf(layer));
    std::vector<bool> gone(static_cast<std::size_t>(layer.count()), false);
    for (PlannedMerge merge : decided.merges) {
      merge.source += layer.prefix;
      merge.destination += layer.prefix;
      gone[static_cast<std::size_t>(merge.source)] = true;
      plan.merges.push_back(merge);
    }
    for (std::int64_t i = 0; i < layer.count(); ++i) {
      if (!gone[static_cast<std::size_t>(i)]) plan.order.push_back(i);
    }
    plan.weights.assign(static_cast<std::size_t>(layer.count()), 1.0F);
    return plan;
  }

 private:
  std::int64_t wantedOf(const LayerTokens& layer) const {
    return layer.patchCount() * rule_.ratio / 100;
  }
  /// Empty where as many merge as the ratio asks for.
  static std::string noteOf(std::size_t merged, std::int64_t wanted) {
    if (static_cast<std::int64_t>(merged) >= wanted) return {};
    return fmt::format("only {} tokens are sources, so {} merge instead of {}", merged, merged,
                       wanted);
  }

  void settle(std::span<const LayerTokens> windows, std::span<MergePlan> plans) const override {
    for (std::size_t first = 0, last = 0; inside_ && first < windows.size(); first = last) {
      std::vector<double> energies;
      std::size_t merged = 0;
      std::int64_t wanted = 0;
      for (; last < windows.size() && windows[last].image == windows[first].image; ++last) {
        merged += plans[last].merges.size();
        wanted += wantedOf(windows[last]);
        const std::vector<float>& own = plans[last].details.score;
        energies.insert(energies.end(), own.begin(), own.end());
      }
      plans[first].details.note = noteOf(merged, wanted);
      auto scaled = minMaxScaled(energies);
      auto from = scaled.begin();
      for (std::size_t k = first; k < last; ++k) {
        const auto to = from + static_cast<std::ptrdiff_t>(plans[k].details.score.size());
        plans[k].salience.assign(from, to);
        from = to;
      }
    }
  }

  bool inside_;
  bool proportional_attention_ = false;
  Prompts prompts_;
  bool all_outside_ = false;
  StructSamRule rule_;
  std::vector<bool> acts_;
  std::int64_t height_;
  std::int64_t width_;
};

/// Above it `ratio` changes nothing: the cells that take part have no more sources.
int mostUseful(const Settings& settings, const VitConfig& vit) {
  const int cell = getInt(settings, "cell");
  if (vit.restores()) {
    // Windows cut cells differently; prompts may let all cells outside them take part.
    const int others = cell * cell - 1;
    const auto outside = settings.find("outside");
    const bool all = outside != settings.end() && std::get<std::string>(outside->second) == "all";
    return (100 * others * (all ? 100 : getInt(settings, "flat")) / (cell * cell) + 99) / 100;
  }
  const auto across = [&](int side) { return (side + cell - 1) / cell; };
  const int cells = across(vit.gridHeight()) * across(vit.gridWidth());
  const int sources = std::max(1, getInt(settings, "flat") * cells / 100) * (cell * cell - 1);
  const int patches = vit.patchTokens();
  return (100 * std::min(sources, patches - cells) + patches - 1) / patches;
}

std::vector<SettingInfo> structSamSettings() {
  SettingInfo ratio = wholeSetting(
      "ratio", "Ratio (%)", "Tokens that merge, as far as the cells that take part have sources.",
      50, 0, 94);
  SettingInfo cell = wholeSetting(
      "cell", "Cell",
      "Side of the cells, in tokens; each has one token that the others may go into.", 2, 2, 4);
  SettingInfo flat =
      wholeSetting("flat", "Flat cells (%)",
                   "The cells that take part, those of the smallest largest energy; the tokens of "
                   "the others are protected. 100: all, as in the public code.",
                   60, 10, 100);
  SettingInfo gradient =
      choiceSetting("gradient", "Gradient",
                    "Of the tokens over the grid: half differences of neighbours, or the Sobel "
                    "kernel.",
                    {"central", "sobel"});
  SettingInfo blocks = allBlocksSetting("Blocks (0-based) whose attention merges.");
  addBlockWords(blocks);
  SettingInfo proportional = proportionalAttentionSetting(false);
  const auto prompts = [](const char* key, const char* label, const char* help,
                          std::size_t numbers) {
    SettingInfo setting = listSetting(key, label, help, {});
    setting.tuple = numbers;
    return setting;
  };
  SettingInfo boxes =
      prompts("boxes", "Prompt boxes",
              "X0,Y0,X1,Y1 in pixels of the picture: cells that a box overlaps never merge. "
              "May be given several times.",
              4);
  SettingInfo points =
      prompts("points", "Prompt points",
              "X,Y in pixels of the picture: the cell that it lies in never merges. May be "
              "given several times.",
              2);
  SettingInfo outside =
      choiceSetting("outside", "Outside prompts",
                    "Cells without prompts: screened by flatness like any, or all take part "
                    "where a prompt is given.",
                    {"screened", "all"});
  for (SettingInfo* setting : {&proportional, &boxes, &points, &outside}) {
    setting->scope = SettingScope::kWindowed;
  }
  return {ratio, cell, flat, gradient, blocks, proportional, boxes, points, outside};
}

}  // namespace

MethodEntry structSamEntry() {
  MethodEntry entry;
  entry.info.id = "structsam";
  entry.info.label = "StructSAM";
  entry.info.description =
      "Attention runs on fewer tokens, where the grid is flat, and the full grid is restored after "
      "it.";
  entry.info.reference =
      "StructSAM: structure- and spectrum-preserving token merging, arXiv 2603.07307";
  entry.info.salience = "Energy: how much the tokens change over the grid here.";
  CompressionKnob knob{"ratio"};
  knob.most = mostUseful;
  entry.info.compression = {knob};
  entry.info.merges_inside = true;
  entry.info.settings = structSamSettings();
  entry.make = [](const Settings& settings, const MethodContext& context) {
    if (context.vit.patchTokens() < kLeastPatches) {
      throw Error(fmt::format("StructSAM needs a grid of at least {} patches; this model has {}",
                              kLeastPatches, context.vit.patchTokens()));
    }
    return std::make_unique<StructSam>(settings, context.vit);
  };
  return entry;
}

}  // namespace adamerge
