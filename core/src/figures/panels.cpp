// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/panels.h"

#include <algorithm>
#include <set>

namespace adamerge {
namespace {

/// Tallest panel, in widths.
constexpr double kTallest = 1.4;
constexpr double kFrameWidth = 0.4;
/// Rasters at print resolution, whatever the PNG's.
constexpr double kPanelDpi = 300;

struct Strokes {
  double line = 0;
  double halo = 0;
};

/// Outlines shrink with the patches, or a fine grid would be all outline.
Strokes outlineStrokes(double cell) {
  const double line = std::clamp(cell * 0.07, 0.1, 0.6);
  return {line, line + std::clamp(cell * 0.08, 0.08, 0.7)};
}

double cellSize(const Scene& scene, const Box& box) {
  return std::min(box.width / scene.grid.width, box.height / scene.grid.height);
}

Image panelFor(const Scene& scene, const Box& box) {
  return panelImage(scene.input.image.view, scene.grid,
                    std::max(box.width, box.height) / kPointsPerInch * kPanelDpi);
}

void finishPanel(Canvas& canvas, const Scene& scene, const Box& box) {
  canvas.frame(box, kFrameWidth, scene.theme.rule);
}

Segment diagonal(const Box& box) { return {{box.x, box.bottom()}, {box.right(), box.y}}; }

double hatchWidth(double cell) { return std::clamp(cell * 0.045, 0.1, 0.4); }

void drawMark(Canvas& canvas, const Box& cell) {
  const double size = std::min(cell.width, cell.height);
  const double width = std::clamp(size * 0.12, 0.3, 1.2);
  const double halo = width + std::clamp(size * 0.07, 0.15, 0.6);
  const double inset = halo / 2 + std::clamp(size * 0.04, 0.05, 0.4);
  const Box inner{cell.x + inset, cell.y + inset, cell.width - 2 * inset, cell.height - 2 * inset};
  canvas.frame(inner, halo, rgb(0x000000, 0.75));
  canvas.frame(inner, width, kMark);
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

void drawSalience(Canvas& canvas, const Scene& scene, const std::vector<float>& positions,
                  const Box& box) {
  PatchColors colors;
  colors.reserve(positions.size());
  for (const float t : positions) colors.push_back(colormapColor(scene.style.colormap, t));
  canvas.image(shadedPatchImage(panelFor(scene, box), scene.grid, colors), box);
  finishPanel(canvas, scene, box);
}

void drawGroups(Canvas& canvas, const Scene& scene, const std::vector<int>& groups,
                const Box& box) {
  const PatchColors colors =
      groupColors(scene.input.image.view, scene.grid.height, scene.grid.width, groups);
  canvas.image(patchImage(panelFor(scene, box), scene.grid, colors), box);
  const std::vector<Segment> outline = groupBoundaries(groups, scene.grid, box);
  const Strokes strokes = outlineStrokes(cellSize(scene, box));
  canvas.lines(outline, strokes.halo, kHalo, box);
  canvas.lines(outline, strokes.line, kOutline, box);
  finishPanel(canvas, scene, box);
}

void drawFates(Canvas& canvas, const Scene& scene, const std::vector<PatchFate>& fates,
               const Box& box) {
  std::vector<bool> merged(fates.size());
  std::transform(fates.begin(), fates.end(), merged.begin(),
                 [](PatchFate fate) { return fate == PatchFate::kMerged; });
  canvas.image(fadedImage(panelFor(scene, box), scene.grid, merged, scene.theme.background), box);
  std::vector<Segment> hatch;
  for (int patch = 0; patch < scene.grid.patches(); ++patch) {
    if (merged[static_cast<std::size_t>(patch)]) {
      hatch.push_back(diagonal(patchBox(patch, scene.grid, box)));
    }
  }
  canvas.lines(hatch, hatchWidth(cellSize(scene, box)), scene.theme.muted, box);
  for (int patch = 0; patch < scene.grid.patches(); ++patch) {
    if (fates[static_cast<std::size_t>(patch)] == PatchFate::kAbsorbed) {
      drawMark(canvas, patchBox(patch, scene.grid, box));
    }
  }
  finishPanel(canvas, scene, box);
}

void drawFateSample(Canvas& canvas, const Scene& scene, PatchFate fate, const Box& box) {
  if (fate == PatchFate::kMerged) {
    canvas.fill(box, scene.theme.grid);
    const std::vector<Segment> hatch{diagonal(box)};
    canvas.lines(hatch, hatchWidth(box.width), scene.theme.muted, box);
  } else {
    canvas.fill(box, scene.theme.sample);
  }
  if (fate == PatchFate::kAbsorbed) drawMark(canvas, box);
}

void drawColorBar(Canvas& canvas, const Scene& scene, const Box& box) {
  constexpr int kSteps = 256;
  Image ramp{kSteps, 1, std::vector<std::uint8_t>(std::size_t{kSteps} * 3)};
  for (int i = 0; i < kSteps; ++i) {
    const auto color = colormapColor(scene.style.colormap, static_cast<double>(i) / (kSteps - 1));
    std::copy(color.begin(), color.end(), ramp.at(i, 0));
  }
  canvas.image(ramp, box);
  canvas.frame(box, kFrameWidth, scene.theme.rule);
}

int countGroups(const std::vector<int>& groups) {
  return static_cast<int>(std::set<int>(groups.begin(), groups.end()).size());
}

}  // namespace adamerge
