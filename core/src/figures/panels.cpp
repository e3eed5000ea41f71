// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/panels.h"

#include <algorithm>
#include <set>

#include "figures/patch_marks.h"

namespace adamerge {
namespace {

/// Tallest panel, in widths.
constexpr double kTallest = 1.4;
constexpr double kFrameWidth = 0.4;
/// Rasters at print resolution, whatever the PNG's.
constexpr double kPanelDpi = 300;

/// A figure's pixel, in points: what a line's width in pixels means on paper.
constexpr double kFigurePixel = 0.4;

PatchArea patchArea(const Scene& scene, const Box& box) { return {scene.grid, box, kFigurePixel}; }

Image panelFor(const Scene& scene, const Box& box) {
  return panelImage(scene.input.image.view, scene.grid,
                    std::max(box.width, box.height) * scene.scale / kPointsPerInch * kPanelDpi);
}

void finishPanel(Canvas& canvas, const Scene& scene, const Box& box) {
  canvas.frame(box, kFrameWidth, scene.theme.rule);
}

}  // namespace

double panelHeight(const Scene& scene, double width) {
  const Image& view = scene.input.image.view;
  return width * std::min(static_cast<double>(view.height) / view.width, kTallest);
}

Box panelBox(const Scene& scene, const Box& slot) {
  const Image& view = scene.input.image.view;
  const double scale = std::min(slot.width / view.width, slot.height / view.height);
  const double width = view.width * scale;
  const double height = view.height * scale;
  return {slot.x + (slot.width - width) / 2, slot.y + (slot.height - height) / 2, width, height};
}

void drawInput(Canvas& canvas, const Scene& scene, const Box& box) {
  canvas.image(panelFor(scene, box), box);
  finishPanel(canvas, scene, box);
}

void drawHeat(Canvas& canvas, const Scene& scene, const std::vector<float>& positions,
              const Box& box) {
  const OverlayStyle& style = scene.style.overlay;
  const Image panel = panelFor(scene, box);
  const Image colors =
      heatImage(positions, scene.grid, style.colormap, style.smooth, panel.width, panel.height);
  canvas.image(shadedImage(panel, scene.grid, colors), box);
  finishPanel(canvas, scene, box);
}

void drawGroups(Canvas& canvas, const Scene& scene, const std::vector<int>& groups,
                const Box& box) {
  const PatchColors colors =
      groupColors(scene.input.image.view, scene.grid.height, scene.grid.width, groups);
  canvas.image(gridImage(scene.grid, colors), box, Sampling::kCells);
  outlineGroups(canvas, patchArea(scene, box), groups);
  finishPanel(canvas, scene, box);
}

void drawFates(Canvas& canvas, const Scene& scene, const std::vector<PatchFate>& fates,
               const Box& box) {
  canvas.image(panelFor(scene, box), box);
  markFates(canvas, patchArea(scene, box), fates, withAlpha(scene.theme.background, kFading),
            scene.theme.muted);
  finishPanel(canvas, scene, box);
}

void drawFateSample(Canvas& canvas, const Scene& scene, PatchFate fate, const Box& box) {
  canvas.fill(box, scene.theme.sample);
  markFates(canvas, {{1, 1}, box, kFigurePixel}, {fate}, withAlpha(scene.theme.background, kFading),
            scene.theme.muted);
}

void drawColorBar(Canvas& canvas, const Scene& scene, const Box& box) {
  constexpr int kSteps = 256;
  Image ramp{kSteps, 1, std::vector<std::uint8_t>(std::size_t{kSteps} * 3)};
  for (int i = 0; i < kSteps; ++i) {
    const auto color =
        colormapColor(scene.style.overlay.colormap, static_cast<double>(i) / (kSteps - 1));
    std::copy(color.begin(), color.end(), ramp.at(i, 0));
  }
  canvas.image(ramp, box);
  canvas.frame(box, kFrameWidth, scene.theme.rule);
}

int countGroups(const std::vector<int>& groups) {
  return static_cast<int>(std::set<int>(groups.begin(), groups.end()).size());
}

}  // namespace adamerge
