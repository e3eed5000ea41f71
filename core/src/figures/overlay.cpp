// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "adamerge/error.h"
#include "adamerge/figures.h"
#include "figures/patch_marks.h"
#include "figures/patches.h"
#include "figures/salience_scale.h"

namespace adamerge {
namespace {

constexpr Color kOutside = rgb(0x000000, 0.6);
constexpr Color kUnselected = rgb(0x000000, 0.35);
constexpr double kSelectedPixels = 3;
constexpr double kHoveredPixels = 2;
/// Interpolated heat maps are computed at this size and enlarged.
constexpr int kSmoothSize = 512;

void check(const OverlayInput& input) {
  if (input.image == nullptr || input.layers == nullptr) {
    throw Error("an overlay needs a prepared picture and its trace");
  }
  requireLayer(input.layer, input.layers->size());
  requireGrid(input.grid_height, input.grid_width);
  requireTrace((*input.layers)[static_cast<std::size_t>(input.layer)],
               static_cast<std::size_t>(input.layer), {input.grid_height, input.grid_width});
  if (input.lens != nullptr) requireLensMap(*input.lens, {input.grid_height, input.grid_width});
}

class Overlay {
 public:
  Overlay(const OverlayInput& input, const OverlayStyle& style, double pixels_per_unit,
          Canvas& canvas)
      : input_(input),
        style_(style),
        canvas_(canvas),
        trace_((*input.layers)[static_cast<std::size_t>(input.layer)]) {
    const Rectangle& crop = input.image->crop;
    area_ = {{input.grid_height, input.grid_width},
             {crop.x, crop.y, crop.width, crop.height},
             1 / pixels_per_unit};
  }

  void dimOutside(double width, double height) {
    const Box& seen = area_.box;
    const double left = std::clamp(seen.x, 0.0, width);
    const double right = std::clamp(seen.right(), 0.0, width);
    const double top = std::clamp(seen.y, 0.0, height);
    const double bottom = std::clamp(seen.bottom(), 0.0, height);
    std::vector<Box> outside{{0, 0, width, top},
                             {0, top, left, bottom - top},
                             {right, top, width - right, bottom - top},
                             {0, bottom, width, height - bottom}};
    std::erase_if(outside, [](const Box& box) { return box.width <= 0 || box.height <= 0; });
    canvas_.fill(outside, kOutside);
  }

  void drawKind() {
    if (lensOf(style_.kind)) drawLens();
    switch (style_.kind) {
      case OverlayKind::kSalience:
        drawHeat(trace_.salience);
        break;
      case OverlayKind::kGroups:
        drawGroups();
        break;
      case OverlayKind::kSurvivors:
        markFates(canvas_, area_, patchFates(survivors()), style_.opacity);
        break;
      case OverlayKind::kDifference:
        drawDifference();
        break;
      default:
        break;
    }
  }

  /// Windows and prompts: where things happen, whatever is shown of them.
  void drawPlaces(double width, double height) {
    if (style_.windows) markWindows(canvas_, area_, trace_.window);
    if (input_.prompts == nullptr) return;
    markPrompts(canvas_, area_, input_.image->crop, *input_.prompts, trace_.details.prompted,
                {0, 0, width, height});
  }

  void drawSelection() {
    if (input_.selected_patch) {
      std::vector<bool> members = groupOf(*input_.selected_patch);
      members.flip();
      washPatches(canvas_, area_, members, kUnselected);
      members.flip();
      outlinePatches(canvas_, area_, members, kSelectedPixels, kMark);
    }
    if (input_.hovered_patch) {
      outlinePatches(canvas_, area_, groupOf(*input_.hovered_patch), kHoveredPixels, kOutline);
    }
  }

 private:
  void drawHeat(const std::vector<float>& values) {
    if (values.empty()) return;
    const Grid& grid = area_.grid;
    const int zoom =
        style_.smooth ? std::clamp(kSmoothSize / std::max(grid.height, grid.width), 1, 16) : 1;
    const std::vector<float> places =
        scaleSalience(values, style_.scale, style_.heldRange(style_.kind));
    const Image heat = heatImage(places, grid, style_.colormap, style_.smooth, grid.width * zoom,
                                 grid.height * zoom);
    canvas_.image(heat, area_.box, style_.smooth ? Sampling::kSmooth : Sampling::kCells,
                  style_.opacity);
  }

  void drawLens() {
    if (input_.lens == nullptr) return;
    if (input_.lens->colors.empty()) {
      drawHeat(input_.lens->values);
    } else {
      canvas_.image(gridImage(area_.grid, input_.lens->colors), area_.box,
                    style_.smooth ? Sampling::kSmooth : Sampling::kCells, style_.opacity);
    }
    if (style_.kind == OverlayKind::kClasses) {
      markDifference(canvas_, area_, input_.lens->hatched, style_.opacity);
    } else {
      markDropped(canvas_, area_, input_.lens->hatched, style_.opacity);
    }
  }

  void drawGroups() {
    const std::vector<int>& groups = trace_.groups;
    if (style_.groups != GroupStyle::kOutline) {
      const PatchColors colors =
          groupColors(input_.image->view, area_.grid.height, area_.grid.width, groups);
      canvas_.image(gridImage(area_.grid, colors), area_.box, Sampling::kCells, style_.opacity);
    }
    markDropped(canvas_, area_, droppedPatches(*input_.layers, input_.layer), style_.opacity);
    if (style_.groups != GroupStyle::kFill) {
      outlineGroupsByColor(canvas_, area_, groups,
                           outlineColors(*input_.layers, input_.layer, area_.grid), style_.opacity);
    }
  }

  void drawDifference() {
    if (input_.other_groups == nullptr) return;
    markDifference(canvas_, area_, groupDifference(trace_.groups, *input_.other_groups),
                   style_.opacity);
  }

  std::vector<int> survivors() const { return survivingPatches(*input_.layers, input_.layer); }

  std::vector<bool> groupOf(int patch) const {
    if (patch < 0 || patch >= area_.grid.patches()) {
      throw Error(fmt::format("patch {} is out of range: the grid has patches 0 to {}", patch,
                              area_.grid.patches() - 1));
    }
    const int group = trace_.groups[static_cast<std::size_t>(patch)];
    std::vector<bool> members(trace_.groups.size());
    std::transform(trace_.groups.begin(), trace_.groups.end(), members.begin(),
                   [&](int other) { return other == group; });
    return members;
  }

  const OverlayInput& input_;
  const OverlayStyle& style_;
  Canvas& canvas_;
  const LayerTrace& trace_;
  PatchArea area_;
};

}  // namespace

void drawOverlay(const OverlayInput& input, const OverlayStyle& style, double image_width,
                 double image_height, double pixels_per_unit, cairo_t* context) {
  check(input);
  Canvas canvas(context);
  Overlay overlay(input, style, pixels_per_unit, canvas);
  if (style.dim_outside) overlay.dimOutside(image_width, image_height);
  overlay.drawKind();
  overlay.drawPlaces(image_width, image_height);
  overlay.drawSelection();
}

void drawPrompts(const Prompts& prompts, double image_width, double image_height,
                 double pixels_per_unit, cairo_t* context) {
  Canvas canvas(context);
  const Box picture{0, 0, image_width, image_height};
  markPrompts(canvas, {{1, 1}, picture, 1 / pixels_per_unit}, {0, 0, image_width, image_height},
              prompts, {}, picture);
}

}  // namespace adamerge
