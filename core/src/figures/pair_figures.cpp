// SPDX-License-Identifier: GPL-3.0-or-later
// Figures of one block: the input beside what became of it.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "adamerge/error.h"
#include "figures/kinds.h"
#include "figures/panels.h"

namespace adamerge {
namespace {

constexpr double kCaptionSpace = 2;
constexpr double kBarHeight = 5;
constexpr double kTickLength = 2;
constexpr double kSampleSize = 8;
constexpr double kSampleSpace = 3;
constexpr double kEntrySpace = 7;

Box resultCaption(const Scene& scene, const PanelPair& pair) {
  const double slot = (scene.contentWidth() - kGap) / 2;
  return {kMargin + slot + kGap, pair.caption_y + kCaptionSpace, slot, kLineHeight};
}

double pairHeight(const Scene& scene) { return panelPair(scene).caption_y; }

double salienceHeight(const Scene& scene) {
  if (scene.trace().salience.empty()) {
    throw Error(fmt::format(
        "the salience figure cannot be drawn: the method computes no salience in layer {}",
        scene.layer));
  }
  return pairHeight(scene) + kCaptionSpace + kBarHeight + kTickLength + 2 * kLineHeight + kMargin;
}

void drawScale(Canvas& canvas, const Scene& scene, const ScaledSalience& salience, const Box& bar) {
  drawColorBar(canvas, scene, bar);
  std::vector<double> ticks{0, 0.25, 0.5, 0.75, 1};
  if (salience.constant()) {
    ticks = {0.5};
  } else {
    double widest = 0;
    for (const double t : ticks) {
      widest = std::max(widest, textWidth(salience.labelAt(t), scene.textStyle()));
    }
    // The labels at the ends lie inside the bar's width, so the outer gaps are the tight ones.
    if (widest * 1.5 + 4 > bar.width / 4) ticks = {0, 0.5, 1};
    if (widest * 1.5 + 4 > bar.width / 2) ticks = {0, 1};
  }
  for (const double t : ticks) {
    const double x = bar.x + t * bar.width;
    const std::array<Segment, 1> tick{{{{x, bar.bottom()}, {x, bar.bottom() + kTickLength}}}};
    canvas.lines(tick, 0.5, scene.theme.rule);
    Box label{bar.x, bar.bottom() + kTickLength, bar.width, kLineHeight};
    if (t > 0 && t < 1) label = {x - bar.width / 4, label.y, bar.width / 2, kLineHeight};
    const Align align = t <= 0 ? Align::kLeft : t >= 1 ? Align::kRight : Align::kCentre;
    canvas.text(salience.labelAt(t), label, scene.textStyle(align));
  }
}

void drawSalienceFigure(Canvas& canvas, const Scene& scene) {
  const PanelPair pair = panelPair(scene);
  drawPairInput(canvas, scene, pair);
  const ScaledSalience salience(scene.trace().salience, scene.style.overlay.scale);
  drawHeat(canvas, scene, salience.positions(), pair.result);
  const Box bar{pair.result.x, pair.caption_y + kCaptionSpace, pair.result.width, kBarHeight};
  drawScale(canvas, scene, salience, bar);
  const std::string caption =
      fmt::format("salience, {} scale", scaleName(scene.style.overlay.scale));
  Box line = resultCaption(scene, pair);
  line.y = bar.bottom() + kTickLength + kLineHeight;
  Align align = Align::kCentre;
  // The room below the input's caption is free.
  if (textWidth(caption, scene.textStyle()) > line.width) {
    line = {kMargin, line.y, scene.contentWidth(), kLineHeight};
    align = Align::kRight;
  }
  canvas.text(caption, line, scene.textStyle(align));
}

double groupsHeight(const Scene& scene) {
  return pairHeight(scene) + kCaptionSpace + kLineHeight + kMargin;
}

void drawGroupsFigure(Canvas& canvas, const Scene& scene) {
  const PanelPair pair = panelPair(scene);
  drawPairInput(canvas, scene, pair);
  drawGroups(canvas, scene, scene.trace().groups, pair.result);
  const int tokens = countGroups(scene.trace().groups);
  canvas.text(fmt::format("{} patch token{}", tokens, tokens == 1 ? "" : "s"),
              resultCaption(scene, pair), scene.textStyle(Align::kCentre));
}

struct LegendEntry {
  PatchFate fate;
  std::string label;
  double x = 0;
  double row = 0;
};

/// Laid out from left to right, continued on a new row where a row is full.
std::vector<LegendEntry> fateLegend(const Scene& scene) {
  const std::vector<PatchFate> fates =
      patchFates(survivingPatches(scene.input.result.layers, static_cast<int>(scene.layer)));
  const auto entry = [&](PatchFate fate, std::string_view label) {
    return LegendEntry{fate,
                       fmt::format("{}: {}", label, std::count(fates.begin(), fates.end(), fate))};
  };
  std::vector<LegendEntry> legend{entry(PatchFate::kUntouched, "untouched"),
                                  entry(PatchFate::kAbsorbed, "absorbed others"),
                                  entry(PatchFate::kMerged, "merged away")};
  double x = 0;
  double row = 0;
  for (LegendEntry& item : legend) {
    const double width = kSampleSize + kSampleSpace + textWidth(item.label, scene.textStyle());
    if (x > 0 && x + width > scene.contentWidth()) {
      x = 0;
      ++row;
    }
    item.x = x;
    item.row = row;
    x += width + kEntrySpace;
  }
  return legend;
}

double survivorsHeight(const Scene& scene) {
  return groupsHeight(scene) + kCaptionSpace + (fateLegend(scene).back().row + 1) * kLineHeight;
}

void drawSurvivorsFigure(Canvas& canvas, const Scene& scene) {
  const PanelPair pair = panelPair(scene);
  drawPairInput(canvas, scene, pair);
  const std::vector<int> survivors =
      survivingPatches(scene.input.result.layers, static_cast<int>(scene.layer));
  drawFates(canvas, scene, patchFates(survivors), pair.result);
  canvas.text(fmt::format("after block {}", scene.layer + 1), resultCaption(scene, pair),
              scene.textStyle(Align::kCentre));
  const double top = pair.caption_y + 2 * kCaptionSpace + kLineHeight;
  for (const LegendEntry& entry : fateLegend(scene)) {
    const Box line{kMargin + entry.x, top + entry.row * kLineHeight, scene.contentWidth(),
                   kLineHeight};
    drawFateSample(canvas, scene, entry.fate,
                   {line.x, line.y + (kLineHeight - kSampleSize) / 2, kSampleSize, kSampleSize});
    const double indent = kSampleSize + kSampleSpace;
    canvas.text(entry.label,
                {line.x + indent, line.y, scene.contentWidth() - entry.x - indent, kLineHeight},
                scene.textStyle());
  }
}

}  // namespace

PanelPair panelPair(const Scene& scene) {
  const double width = (scene.contentWidth() - kGap) / 2;
  const double height = panelHeight(scene, width);
  const double top = kMargin + headingHeight(scene, blockNote(scene));
  return {panelBox(scene, {kMargin, top, width, height}),
          panelBox(scene, {kMargin + width + kGap, top, width, height}), top + height};
}

void drawPairInput(Canvas& canvas, const Scene& scene, const PanelPair& pair) {
  drawHeading(canvas, scene, blockNote(scene));
  drawInput(canvas, scene, pair.input);
  const double slot = (scene.contentWidth() - kGap) / 2;
  canvas.text("input", {kMargin, pair.caption_y + kCaptionSpace, slot, kLineHeight},
              scene.textStyle(Align::kCentre));
}

FigureDrawing salienceFigure() {
  return {{{"salience", "How salient each patch's token is on entry to a block.", true},
           kColumnMm,
           true},
          salienceHeight,
          drawSalienceFigure};
}

FigureDrawing groupsFigure() {
  return {{{"groups", "Patches that are one token after a block, in their mean colour.", true},
           kColumnMm,
           true},
          groupsHeight,
          drawGroupsFigure};
}

FigureDrawing survivorsFigure() {
  return {
      {{"survivors", "Which patches' tokens survive up to a block and which were merged.", true},
       kColumnMm,
       true},
      survivorsHeight,
      drawSurvivorsFigure};
}

}  // namespace adamerge
