// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/panels.h"

#include <algorithm>
#include <set>

#include "adamerge/figures.h"
#include "figures/patch_marks.h"

namespace adamerge {
namespace {

/// Tallest panel, in widths.
constexpr double kTallest = 1.4;
constexpr double kFrameWidth = 0.4;
/// Rasters at print resolution, whatever the PNG's.
constexpr double kPanelDpi = 300;

PatchArea patchArea(const Scene& scene, const Box& box) { return {scene.grid, box, kFigurePixel}; }

/// Pixels along `length` points of the figure.
double pixelsFor(const Scene& scene, double length) {
  return length * scene.scale / kPointsPerInch * kPanelDpi;
}

Image panelFor(const Scene& scene, const Box& box) {
  return panelImage(scene.input.image.view, scene.grid,
                    pixelsFor(scene, std::max(box.width, box.height)));
}

void finishPanel(Canvas& canvas, const Scene& scene, const Box& box) {
  canvas.frame(box, kFrameWidth, scene.theme.rule);
}

void drawPlaces(Canvas& canvas, const Scene& scene, std::size_t layer, const Box& box) {
  const LayerTrace& trace = scene.input.result.layers[layer];
  if (scene.style.overlay.windows) markWindows(canvas, patchArea(scene, box), trace.window);
  markPrompts(canvas, patchArea(scene, box), scene.input.image.crop, scene.input.prompts,
              trace.details.prompted, box);
}

constexpr double kRowSpace = 5;

/// Rows as even as possible: twelve panels of which nine fit are two rows of six.
std::size_t columnsFor(const Scene& scene, std::size_t panels, double least_width) {
  const auto fitting =
      static_cast<std::size_t>((scene.contentWidth() + kGap) / (least_width + kGap));
  const std::size_t most = std::clamp<std::size_t>(fitting, 1, panels);
  const std::size_t rows = (panels + most - 1) / most;
  return (panels + rows - 1) / rows;
}

}  // namespace

double viewProportion(const Scene& scene) {
  const Image& view = scene.input.image.view;
  return static_cast<double>(view.height) / view.width;
}

double panelHeight(double proportion, double width) {
  return width * std::min(proportion, kTallest);
}

Box panelBox(double proportion, const Box& slot) {
  const double width = std::min(slot.width, slot.height / proportion);
  const double height = width * proportion;
  return {slot.x + (slot.width - width) / 2, slot.y + (slot.height - height) / 2, width, height};
}

std::vector<std::string> wrapped(std::string_view text, double width, const TextStyle& style,
                                 std::string_view separator) {
  const std::string_view mark = separator.substr(0, separator.find(' '));
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    std::string part(text.substr(at, end - at));
    if (end < text.size()) part += mark;
    const std::string longer = line.empty() ? part : line + " " + part;
    if (!line.empty() && textWidth(longer, style) > width) {
      lines.push_back(line);
      line = part;
    } else {
      line = longer;
    }
    at = end < text.size() ? end + separator.size() : end;
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

void drawCaption(Canvas& canvas, const Scene& scene, const Box& panel, std::string_view name,
                 std::string_view detail) {
  const Box line{panel.x, panel.bottom() + kCaptionHeight - 2 * kLineHeight, panel.width,
                 kLineHeight};
  canvas.text(name, line, scene.textStyle(Align::kCentre));
  canvas.text(detail, {line.x, line.bottom(), line.width, kLineHeight},
              scene.mutedStyle(Align::kCentre));
}

void drawInput(Canvas& canvas, const Scene& scene, const Box& box) {
  canvas.image(panelFor(scene, box), box);
  finishPanel(canvas, scene, box);
}

void drawHeat(Canvas& canvas, const Scene& scene, const std::vector<float>& values, const Box& box,
              const std::optional<ValueRange>& range) {
  const OverlayStyle& style = scene.style.overlay;
  const Image panel = panelFor(scene, box);
  const std::vector<float> places =
      scaleSalience(values, style.scale, range ? range : style.heldRange(scene.content));
  const Image colors =
      heatImage(places, scene.grid, style.colormap, style.smooth, panel.width, panel.height);
  canvas.image(shadedImage(panel, scene.grid, colors), box);
  finishPanel(canvas, scene, box);
}

void drawLens(Canvas& canvas, const Scene& scene, const LensMap& map, const Box& box,
              const std::optional<ValueRange>& range) {
  if (map.colors.empty()) {
    drawHeat(canvas, scene, map.values, box, range);
  } else {
    if (scene.content == OverlayKind::kClasses) {
      // The picture shows through, so that one sees what was classed.
      const Image panel = panelFor(scene, box);
      Image cells{panel.width, panel.height, std::vector<std::uint8_t>(panel.pixels.size())};
      for (int y = 0; y < cells.height; ++y) {
        for (int x = 0; x < cells.width; ++x) {
          const int patch = scene.grid.at(y * scene.grid.height / cells.height,
                                          x * scene.grid.width / cells.width);
          const auto& color = map.colors[static_cast<std::size_t>(patch)];
          std::copy(color.begin(), color.end(), cells.at(x, y));
        }
      }
      canvas.image(shadedImage(panel, scene.grid, cells), box);
    } else {
      canvas.image(gridImage(scene.grid, map.colors), box, Sampling::kCells);
    }
    finishPanel(canvas, scene, box);
  }
  if (scene.content == OverlayKind::kClasses) {
    markDifference(canvas, patchArea(scene, box), map.hatched, 1);
    drawPlaces(canvas, scene, scene.layer, box);
    return;
  }
  markDropped(canvas, patchArea(scene, box), map.hatched, 1);
}

void drawGroups(Canvas& canvas, const Scene& scene, std::size_t layer, const Box& box) {
  const std::vector<LayerTrace>& layers = scene.input.result.layers;
  const std::vector<int>& groups = layers[layer].groups;
  const PatchColors colors =
      groupColors(scene.input.image.view, scene.grid.height, scene.grid.width, groups);
  canvas.image(gridImage(scene.grid, colors), box, Sampling::kCells);
  markDropped(canvas, patchArea(scene, box), droppedPatches(layers, static_cast<int>(layer)), 1);
  outlineGroups(canvas, patchArea(scene, box), groups);
  drawPlaces(canvas, scene, layer, box);
  finishPanel(canvas, scene, box);
}

void drawFates(Canvas& canvas, const Scene& scene, const std::vector<PatchFate>& fates,
               const Box& box) {
  canvas.image(panelFor(scene, box), box);
  markFates(canvas, patchArea(scene, box), fates, 1);
  drawPlaces(canvas, scene, scene.layer, box);
  finishPanel(canvas, scene, box);
}

void drawOverlaid(Canvas& canvas, const Scene& scene, std::size_t layer, const Image& picture,
                  const PreparedImage& prepared, const Box& box) {
  const Box region = overlaidRegion(picture, prepared.crop);
  const double scale = box.width / region.width;
  const auto place = [&](const Box& part) {
    return Box{box.x + (part.x - region.x) * scale, box.y + (part.y - region.y) * scale,
               part.width * scale, part.height * scale};
  };
  const Rectangle& crop = prepared.crop;
  const Box whole{0, 0, static_cast<double>(picture.width), static_cast<double>(picture.height)};
  // What the model was given beyond the picture's edge.
  if (region.width > whole.width || region.height > whole.height) {
    canvas.image(prepared.view, place({crop.x, crop.y, crop.width, crop.height}));
  }
  canvas.image(reducedImage(picture, pixelsFor(scene, picture.width * scale)), place(whole));
  OverlayInput input;
  input.image = &prepared;
  input.grid_height = scene.grid.height;
  input.grid_width = scene.grid.width;
  input.layers = &scene.input.result.layers;
  input.layer = static_cast<int>(layer);
  input.selected_patch = scene.input.selected_patch;
  if (scene.input.lens && layer < scene.input.lens->blocks.size()) {
    input.lens = &scene.input.lens->blocks[layer];
  }
  if (scene.input.prompts.any()) input.prompts = &scene.input.prompts;
  if (scene.input.other) input.other_groups = &scene.input.other->layers[layer].groups;
  canvas.inside(box, {region.x, region.y}, scale, [&](cairo_t* context) {
    drawOverlay(input, scene.style.overlay, picture.width, picture.height, scale / kFigurePixel,
                context);
  });
  finishPanel(canvas, scene, box);
}

Box overlaidRegion(const Image& picture, const Rectangle& crop) {
  const double left = std::min(crop.x, 0.0);
  const double top = std::min(crop.y, 0.0);
  return {left, top, std::max<double>(crop.x + crop.width, picture.width) - left,
          std::max<double>(crop.y + crop.height, picture.height) - top};
}

void drawFateSample(Canvas& canvas, const Scene& scene, PatchFate fate, const Box& box) {
  canvas.fill(box, scene.theme.sample);
  markFates(canvas, {{1, 1}, box, kFigurePixel}, {fate}, 1);
}

void drawDroppedSample(Canvas& canvas, const Scene& scene, const Box& box) {
  canvas.fill(box, scene.theme.sample);
  markDropped(canvas, {{1, 1}, box, kFigurePixel}, {true}, 1);
}

void drawDifferenceSample(Canvas& canvas, const Scene& scene, const Box& box) {
  canvas.fill(box, scene.theme.sample);
  markDifference(canvas, {{1, 1}, box, kFigurePixel}, {true}, 1);
}

void drawWindowSample(Canvas& canvas, const Scene& scene, const Box& box) {
  canvas.fill(box, scene.theme.sample);
  markWindows(canvas, {{2, 2}, box, kFigurePixel}, {1, 1});
}

void drawPromptSample(Canvas& canvas, const Scene& scene, const Box& box) {
  canvas.fill(box, scene.theme.sample);
  markPrompts(canvas, {{1, 1}, box, kFigurePixel}, {0, 0, 8, 8}, {{2, 2, 6, 6}, {}}, {}, box);
}

void drawProtectedSample(Canvas& canvas, const Scene& scene, const Box& box) {
  canvas.fill(box, scene.theme.sample);
  markPrompts(canvas, {{1, 1}, box, kFigurePixel}, {0, 0, 1, 1}, {}, {0}, box);
}

const std::vector<float>& heatOf(const Scene& scene) {
  return lensOf(scene.content) ? lensMapOf(scene).values : scene.trace().salience;
}

const LensMap& lensMapOf(const Scene& scene) { return scene.input.lens->blocks[scene.layer]; }

std::vector<PatchFate> fatesOf(const Scene& scene) {
  return patchFates(survivingPatches(scene.input.result.layers, static_cast<int>(scene.layer)));
}

const std::vector<int>& otherGroups(const Scene& scene) {
  return scene.input.other->layers[scene.layer].groups;
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

double gridPanelWidth(const Scene& scene, std::size_t panels, double least_width) {
  const auto columns = static_cast<double>(columnsFor(scene, panels, least_width));
  return (scene.contentWidth() - (columns - 1) * kGap) / columns;
}

PanelGrid::PanelGrid(const Scene& scene, std::size_t panels, double least_width, double proportion,
                     double top, double below)
    : columns_(columnsFor(scene, panels, least_width)),
      rows_((panels + columns_ - 1) / columns_),
      panel_width_(gridPanelWidth(scene, panels, least_width)),
      panel_height_(panelHeight(proportion, panel_width_)),
      top_(top),
      below_(below) {}

double PanelGrid::bottom() const {
  return top_ + static_cast<double>(rows_) * (rowHeight() + kRowSpace) - kRowSpace;
}

Box PanelGrid::slot(std::size_t index) const {
  return {kMargin + static_cast<double>(index % columns_) * (panel_width_ + kGap),
          top_ + static_cast<double>(index / columns_) * (rowHeight() + kRowSpace), panel_width_,
          panel_height_};
}

}  // namespace adamerge
