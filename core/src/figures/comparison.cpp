// SPDX-License-Identifier: GPL-3.0-or-later
// Figures of one kind side by side, each with its method, tokens and FLOPs.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "adamerge/error.h"
#include "figures/page.h"
#include "figures/panels.h"
#include "figures/scene.h"

namespace adamerge {
namespace {

constexpr std::size_t kFewest = 2;
constexpr std::size_t kMost = 4;
constexpr double kLeastCompared = 96;

/// A picture kind under the traits of a comparison: as wide as the page.
FigureTraits traitsOf(const FigureDrawing& drawing) {
  FigureTraits traits = drawing.traits;
  traits.width_mm = kPageMm;
  return traits;
}

const FigureDrawing& findPictureDrawing(std::string_view kind) {
  const FigureDrawing& drawing = findDrawing(kind);
  if (drawing.picture) return drawing;
  std::string known;
  for (const FigureKind& other : figureKinds()) {
    if (!findDrawing(other.id).picture) continue;
    if (!known.empty()) known += ", ";
    known += other.id;
  }
  throw Error(
      fmt::format("{} figures cannot be compared side by side; possible are {}", kind, known));
}

std::string tokensLine(const Scene& scene) {
  const LayerTrace& trace = scene.trace();
  if (trace.restored) {
    return fmt::format("{} of {} tokens inside", trace.tokens_inside, trace.tokens_in);
  }
  return fmt::format("{} → {} tokens", trace.tokens_in, trace.tokens_out);
}

std::string flopsLine(const FigureInput& input) {
  std::string line = fmt::format("{:#.3g} G FLOPs", input.result.flops.paper);
  if (input.unmerged_flops.value_or(0) > 0) {
    line += fmt::format(", {:.1f} %", 100 * input.result.flops.paper / *input.unmerged_flops);
  }
  return line;
}

class Comparison {
 public:
  Comparison(std::string_view kind, std::span<const FigureInput> inputs, const FigureStyle& style)
      : drawing_(findPictureDrawing(kind)) {
    if (inputs.size() < kFewest || inputs.size() > kMost) {
      throw Error(fmt::format("{} figures cannot be compared; {} to {} can be", inputs.size(),
                              kFewest, kMost));
    }
    for (const FigureInput& input : inputs) {
      scenes_.push_back(makeScene(traitsOf(drawing_), input, style));
      proportion_ = std::max(proportion_, drawing_.picture->proportion(scenes_.back()));
    }
    const double width = gridPanelWidth(first(), scenes_.size(), kLeastCompared);
    for (const Scene& scene : scenes_) {
      captions_.push_back(wrapped(scene.input.subtitle, width, scene.textStyle(), ", "));
      caption_lines_ = std::max(caption_lines_, captions_.back().size());
      legend_height_ = std::max(legend_height_, legendHeight(scene, width));
    }
  }

  const Scene& first() const { return scenes_.front(); }

  double height() const { return grid().bottom() + kMargin; }

  void draw(Canvas& canvas) const {
    drawHeading(canvas, first(), note(), false);
    const PanelGrid panels = grid();
    for (std::size_t i = 0; i < scenes_.size(); ++i) drawPanel(canvas, i, panels.slot(i));
  }

 private:
  /// What all panels have in common.
  std::string note() const {
    const auto alike = [&](const Scene& scene) { return scene.layer == first().layer; };
    const std::string content(contentName(first().content));
    if (!std::all_of(scenes_.begin(), scenes_.end(), alike)) return content;
    return fmt::format("{}{}block {} of {}", content, content.empty() ? "" : " · ",
                       first().layer + 1, first().input.result.layers.size());
  }

  PanelGrid grid() const {
    const double below = 2 * kCaptionSpace + legend_height_ +
                         (static_cast<double>(caption_lines_) + 2) * kLineHeight;
    return {first(),
            scenes_.size(),
            kLeastCompared,
            proportion_,
            kMargin + headingHeight(first(), note(), false),
            below};
  }

  void drawPanel(Canvas& canvas, std::size_t index, const Box& slot) const {
    const Scene& scene = scenes_[index];
    drawing_.picture->draw(canvas, scene, panelBox(drawing_.picture->proportion(scene), slot));
    Box line{slot.x, slot.bottom() + kCaptionSpace, slot.width, kLineHeight};
    const auto write = [&](std::string_view text, const TextStyle& style) {
      canvas.text(text, line, style);
      line.y += kLineHeight;
    };
    for (const std::string& text : captions_[index]) write(text, scene.textStyle(Align::kCentre));
    write(tokensLine(scene), scene.mutedStyle(Align::kCentre));
    write(flopsLine(scene.input), scene.mutedStyle(Align::kCentre));
    // Legends stand in one row, whatever the captions' lengths.
    const double bottom =
        slot.bottom() + 2 * kCaptionSpace + (static_cast<double>(caption_lines_) + 2) * kLineHeight;
    drawLegend(canvas, scene, {slot.x, bottom, slot.width, legend_height_});
  }

  const FigureDrawing& drawing_;
  std::vector<Scene> scenes_;
  std::vector<std::vector<std::string>> captions_;
  std::size_t caption_lines_ = 0;
  double legend_height_ = 0;
  double proportion_ = 0;
};

std::string provenanceOf(std::span<const FigureInput> inputs) {
  std::string list;
  for (const FigureInput& input : inputs) {
    if (input.provenance.empty()) continue;
    list += (list.empty() ? "[" : ",") + input.provenance;
  }
  return list.empty() ? list : list + "]";
}

}  // namespace

FigureSize comparisonSize(std::string_view kind, std::span<const FigureInput> inputs,
                          const FigureStyle& style) {
  const Comparison comparison(kind, inputs, style);
  return sizeOnPaper(comparison.first(), comparison.height());
}

void drawComparison(std::string_view kind, std::span<const FigureInput> inputs,
                    const FigureStyle& style, cairo_t* context) {
  const Comparison comparison(kind, inputs, style);
  Canvas canvas(context);
  beginPage(canvas, comparison.first(), comparison.height());
  comparison.draw(canvas);
}

void writeComparison(std::string_view kind, std::span<const FigureInput> inputs,
                     const FigureStyle& style, FigureFormat format,
                     const std::filesystem::path& path) {
  const FigureSize size = comparisonSize(kind, inputs, style);
  writePage({[&](cairo_t* context) { drawComparison(kind, inputs, style, context); }, style, size,
             inputs.front().title, provenanceOf(inputs)},
            format, path);
}

}  // namespace adamerge
