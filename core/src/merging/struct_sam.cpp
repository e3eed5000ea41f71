// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "merging/common_settings.h"
#include "merging/entries.h"
#include "merging/inside.h"
#include "merging/matching.h"

namespace adamerge {
namespace {

std::vector<double> asDoubles(const at::Tensor& values) {
  const at::Tensor host = values.to(at::kCPU, at::kDouble).contiguous();
  return {host.data_ptr<double>(), host.data_ptr<double>() + host.numel()};
}

/// Of a cell's tokens the one of least energy, and its largest energy.
struct Cell {
  std::vector<std::int64_t> tokens;
  std::int64_t destination = 0;
  double flatness = 0;
};

std::vector<Cell> cellsOf(const std::vector<double>& energy, std::int64_t height,
                          std::int64_t width, int side) {
  std::vector<Cell> cells;
  for (std::int64_t top = 0; top < height; top += side) {
    for (std::int64_t left = 0; left < width; left += side) {
      Cell cell;
      for (std::int64_t row = top; row < std::min(top + side, height); ++row) {
        for (std::int64_t column = left; column < std::min(left + side, width); ++column) {
          cell.tokens.push_back(row * width + column);
        }
      }
      const auto less = [&](std::int64_t a, std::int64_t b) { return energy[a] < energy[b]; };
      cell.destination = *std::min_element(cell.tokens.begin(), cell.tokens.end(), less);
      cell.flatness = energy[*std::max_element(cell.tokens.begin(), cell.tokens.end(), less)];
      cells.push_back(std::move(cell));
    }
  }
  return cells;
}

}  // namespace

std::vector<double> gradientEnergy(const at::Tensor& metric, GridGradient gradient) {
  const std::int64_t height = metric.size(0);
  const std::int64_t width = metric.size(1);
  const bool sobel = gradient == GridGradient::kSobel;
  const at::Tensor planes = metric.to(at::kDouble).permute({2, 0, 1}).unsqueeze(0);
  const at::Tensor padded = sobel ? at::constant_pad_nd(planes, {1, 1, 1, 1})
                                  : at::replication_pad2d(planes, {1, 1, 1, 1});
  /// The planes as seen from `down` rows and `right` columns before each token.
  const auto shifted = [&](std::int64_t down, std::int64_t right) {
    return padded.narrow(2, down, height).narrow(3, right, width);
  };
  at::Tensor x;
  at::Tensor y;
  if (sobel) {
    x = shifted(0, 2) - shifted(0, 0) + 2 * (shifted(1, 2) - shifted(1, 0)) + shifted(2, 2) -
        shifted(2, 0);
    y = shifted(2, 0) - shifted(0, 0) + 2 * (shifted(2, 1) - shifted(0, 1)) + shifted(2, 2) -
        shifted(0, 2);
  } else {
    x = (shifted(1, 2) - shifted(1, 0)) / 2;
    y = (shifted(2, 1) - shifted(0, 1)) / 2;
  }
  const at::Tensor squares = (x * x + y * y)[0];
  std::vector<double> energy = asDoubles((sobel ? squares.mean(0) : squares.sum(0)).sqrt());
  // What overflowed is anything but flat, and orders need numbers.
  std::replace_if(
      energy.begin(), energy.end(), [](double e) { return std::isnan(e); },
      std::numeric_limits<double>::infinity());
  return energy;
}

StructSamMerges structSamMerges(const at::Tensor& metric, const StructSamRule& rule,
                                const StructSamPrompts& prompts) {
  const std::int64_t height = metric.size(0);
  const std::int64_t width = metric.size(1);
  StructSamMerges result;
  result.energy = gradientEnergy(metric, rule.gradient);
  const std::vector<Cell> cells = cellsOf(result.energy, height, width, rule.cell);

  std::vector<int> flattest;
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    const std::vector<std::int64_t>& tokens = cells[cell].tokens;
    const bool prompted =
        !prompts.tokens.empty() && std::any_of(tokens.begin(), tokens.end(), [&](std::int64_t i) {
          return prompts.tokens[static_cast<std::size_t>(i)] != 0;
        });
    if (prompted) {
      result.prompted.insert(result.prompted.end(), tokens.begin(), tokens.end());
    } else {
      flattest.push_back(static_cast<int>(cell));
    }
  }
  if (!prompts.outside && !flattest.empty()) {
    std::stable_sort(flattest.begin(), flattest.end(),
                     [&](int a, int b) { return cells[a].flatness < cells[b].flatness; });
    flattest.resize(
        std::max<std::size_t>(1, flattest.size() * static_cast<std::size_t>(rule.flat) / 100));
    std::sort(flattest.begin(), flattest.end());
  }
  result.cells = std::move(flattest);

  std::vector<std::int64_t> destinations;
  std::vector<std::int64_t> sources;
  for (const int number : result.cells) {
    const Cell& cell = cells[static_cast<std::size_t>(number)];
    destinations.push_back(cell.destination);
    for (const std::int64_t token : cell.tokens) {
      if (token != cell.destination) sources.push_back(token);
    }
  }
  std::sort(destinations.begin(), destinations.end());
  std::sort(sources.begin(), sources.end());
  const auto count = std::min<std::size_t>(
      static_cast<std::size_t>(height * width * rule.ratio / 100), sources.size());
  if (count == 0) return result;

  const at::Tensor tokens = metric.flatten(0, 1);
  const at::Tensor factors = inverseNorms(tokens, kLeastTokenNorm);
  const auto rowsOf = [&](const at::Tensor& from, const std::vector<std::int64_t>& positions) {
    return from.index_select(0, at::tensor(positions).to(from.device()));
  };
  const at::Tensor scores =
      dotProducts(rowsOf(tokens, sources), rowsOf(tokens, destinations), tokens.scalar_type());
  result.macs = static_cast<double>(scores.numel()) * static_cast<double>(tokens.size(1));
  const BestMatches best =
      bestProducts(scores, rowsOf(factors, sources), rowsOf(factors, destinations));
  const std::vector<std::int64_t> order = descending(best.score);
  for (std::size_t k = 0; k < count; ++k) {
    const auto source = static_cast<std::size_t>(order[k]);
    result.merges.push_back({sources[source],
                             destinations[static_cast<std::size_t>(best.index[source])],
                             best.score[source]});
  }
  std::sort(result.merges.begin(), result.merges.end(),
            [](const PlannedMerge& a, const PlannedMerge& b) { return a.source < b.source; });
  return result;
}

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
    const std::int64_t wanted = layer.patchCount() * rule_.ratio / 100;
    if (!inside_ && static_cast<std::int64_t>(decided.merges.size()) < wanted) {
      plan.details.note = fmt::format("only {} tokens are sources, so {} merge instead of {}",
                                      decided.merges.size(), decided.merges.size(), wanted);
    }
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
  void settle(std::span<const LayerTokens> windows, std::span<MergePlan> plans) const override {
    for (std::size_t first = 0, last = 0; inside_ && first < windows.size(); first = last) {
      std::vector<double> energies;
      for (; last < windows.size() && windows[last].image == windows[first].image; ++last) {
        const std::vector<float>& own = plans[last].details.score;
        energies.insert(energies.end(), own.begin(), own.end());
      }
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
