// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/patch_marks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace adamerge {
namespace {

constexpr Color kMergedWash = rgb(0xD2D5DA, 0.74);
constexpr Color kMergedHatch = rgb(0x3C4046);
/// Of a hue that photographs rarely have.
constexpr Color kDifferenceTint = rgb(0xCC79A7, 0.6);
constexpr Color kDifferenceHatch = rgb(0x2A0A1E);
constexpr Color kWindowEdge = rgb(0x00E5FF);
constexpr Color kPrompt = rgb(0xFF2E88);
constexpr Color kProtectedWash = rgb(0xFF2E88, 0.14);

/// Adds the parts within chosen patches of the line column + row = `sum`, in patches.
void diagonalRuns(const PatchArea& area, const std::vector<bool>& chosen, double sum,
                  std::vector<Segment>& lines) {
  constexpr double kLeast = 1e-9;
  const double step_x = area.box.width / area.grid.width;
  const double step_y = area.box.height / area.grid.height;
  const auto point = [&](double column) {
    return Point{area.box.x + column * step_x, area.box.y + (sum - column) * step_y};
  };
  const double end = std::min<double>(area.grid.width, sum);
  bool continues = false;
  for (double from = std::max(sum - area.grid.height, 0.0); end - from > kLeast;) {
    // The patch is left through its right or its upper edge.
    const double row_edge = sum - (std::ceil(sum - from - kLeast) - 1);
    const double to = std::min({std::floor(from + kLeast) + 1, row_edge, end});
    const double middle = (from + to) / 2;
    const int patch = area.grid.at(static_cast<int>(sum - middle), static_cast<int>(middle));
    const bool here = chosen[static_cast<std::size_t>(patch)];
    if (here && continues) lines.back().to = point(to);
    if (here && !continues) lines.push_back({point(from), point(to)});
    continues = here;
    from = to;
  }
}

double hatchWidth(const PatchArea& area) { return area.width(0.045, 1); }

/// The same lines patch by patch, where each is a stamp of one; false: it can be none.
bool hatchAlike(Canvas& canvas, const PatchArea& area, const std::vector<bool>& chosen, int count,
                const Color& color) {
  const Box cell = patchBox(0, area.grid, {0, 0, area.box.width, area.box.height});
  std::vector<Segment> lines;
  for (int i = 1; i < 2 * count; ++i) {
    // Through all of the patch and beyond: what is drawn outside is cut off.
    const double sum = static_cast<double>(i) / count;
    lines.push_back({{0, sum * cell.height}, {sum * cell.width, 0}});
  }
  std::vector<Point> corners;
  for (int patch = 0; patch < area.grid.patches(); ++patch) {
    if (!chosen[static_cast<std::size_t>(patch)]) continue;
    const Box box = patchBox(patch, area.grid, area.box);
    corners.push_back({box.x, box.y});
  }
  return canvas.stamp(corners, cell, color, [&](Canvas& one) {
    one.lines(lines, hatchWidth(area), withAlpha(color, 1));
  });
}

/// The outline of `chosen`, also where it runs along the grid's own edge.
std::vector<Segment> outlineOf(const PatchArea& area, const std::vector<bool>& chosen) {
  const Grid padded{area.grid.height + 2, area.grid.width + 2};
  std::vector<int> inside(static_cast<std::size_t>(padded.patches()), 0);
  for (int patch = 0; patch < area.grid.patches(); ++patch) {
    const int at = padded.at(patch / area.grid.width + 1, patch % area.grid.width + 1);
    inside[static_cast<std::size_t>(at)] = chosen[static_cast<std::size_t>(patch)] ? 1 : 0;
  }
  const double step_x = area.box.width / area.grid.width;
  const double step_y = area.box.height / area.grid.height;
  return groupBoundaries(inside, padded,
                         {area.box.x - step_x, area.box.y - step_y, area.box.width + 2 * step_x,
                          area.box.height + 2 * step_y});
}

}  // namespace

double PatchArea::cell() const {
  return std::min(box.width / grid.width, box.height / grid.height);
}

double PatchArea::width(double share, double most) const {
  return std::min(cell() * share, most * pixel);
}

void washPatches(Canvas& canvas, const PatchArea& area, const std::vector<bool>& chosen,
                 const Color& color) {
  std::vector<Box> boxes;
  for (int row = 0; row < area.grid.height; ++row) {
    for (int column = 0; column < area.grid.width; ++column) {
      const int patch = area.grid.at(row, column);
      if (!chosen[static_cast<std::size_t>(patch)]) continue;
      const Box box = patchBox(patch, area.grid, area.box);
      const bool continues = column > 0 && chosen[static_cast<std::size_t>(patch) - 1];
      if (continues) {
        boxes.back().width = box.right() - boxes.back().x;
      } else {
        boxes.push_back(box);
      }
    }
  }
  canvas.fill(boxes, color);
}

void hatchPatches(Canvas& canvas, const PatchArea& area, const std::vector<bool>& chosen,
                  const Color& color) {
  constexpr double kSpacing = 14;
  constexpr double kMostLines = 8;
  const double fitting = std::round(area.cell() / (kSpacing * area.pixel));
  const int count = static_cast<int>(std::clamp(fitting, 1.0, kMostLines));
  if (hatchAlike(canvas, area, chosen, count, color)) return;
  std::vector<Segment> lines;
  for (int i = 1; i < count * (area.grid.height + area.grid.width); ++i) {
    diagonalRuns(area, chosen, static_cast<double>(i) / count, lines);
  }
  canvas.lines(lines, hatchWidth(area), color, area.box);
}

void ringPatches(Canvas& canvas, const PatchArea& area, const std::vector<bool>& chosen,
                 double opacity) {
  std::vector<Point> centres;
  for (int patch = 0; patch < area.grid.patches(); ++patch) {
    if (!chosen[static_cast<std::size_t>(patch)]) continue;
    const Box cell = patchBox(patch, area.grid, area.box);
    centres.push_back({cell.x + cell.width / 2, cell.y + cell.height / 2});
  }
  const double radius = area.width(0.29, 12);
  const double line = area.width(0.13, 3);
  const double halo = line + area.width(0.12, 2.5);
  canvas.rings(centres, radius, halo, faded(kRingHalo, opacity));
  canvas.rings(centres, radius, line, faded(kMark, opacity));
}

void markFates(Canvas& canvas, const PatchArea& area, const std::vector<PatchFate>& fates,
               double opacity) {
  const auto having = [&](PatchFate fate) {
    std::vector<bool> chosen(fates.size());
    std::transform(fates.begin(), fates.end(), chosen.begin(),
                   [&](PatchFate other) { return other == fate; });
    return chosen;
  };
  washPatches(canvas, area, having(PatchFate::kMerged), faded(kMergedWash, opacity));
  hatchPatches(canvas, area, having(PatchFate::kMerged), faded(kMergedHatch, opacity));
  ringPatches(canvas, area, having(PatchFate::kAbsorbed), opacity);
}

void markDropped(Canvas& canvas, const PatchArea& area, const std::vector<bool>& dropped,
                 double opacity) {
  if (std::find(dropped.begin(), dropped.end(), true) == dropped.end()) return;
  hatchPatches(canvas, area, dropped, faded(kMergedHatch, opacity));
}

void markDifference(Canvas& canvas, const PatchArea& area, const std::vector<bool>& differ,
                    double opacity) {
  if (std::find(differ.begin(), differ.end(), true) == differ.end()) return;
  washPatches(canvas, area, differ, faded(kDifferenceTint, opacity));
  hatchPatches(canvas, area, differ, faded(kDifferenceHatch, opacity));
}

bool hasSeveralWindows(const Grid& grid, const std::vector<int>& window) {
  return window.size() == 2 && (window[0] < grid.height || window[1] < grid.width);
}

void markWindows(Canvas& canvas, const PatchArea& area, const std::vector<int>& window) {
  if (!hasSeveralWindows(area.grid, window)) return;
  const Box& box = area.box;
  std::vector<Segment> lines;
  for (int row = window[0]; row < area.grid.height; row += window[0]) {
    const double y = box.y + row * box.height / area.grid.height;
    lines.push_back({{box.x, y}, {box.right(), y}});
  }
  for (int column = window[1]; column < area.grid.width; column += window[1]) {
    const double x = box.x + column * box.width / area.grid.width;
    lines.push_back({{x, box.y}, {x, box.bottom()}});
  }
  const double line = area.width(0.2, 1.25);
  canvas.lines(lines, line + area.width(0.2, 1.75), kHalo, box);
  canvas.lines(lines, line, kWindowEdge, box);
}

void markPrompts(Canvas& canvas, const PatchArea& area, const Rectangle& crop,
                 const Prompts& prompts, const std::vector<int>& protects, const Box& clip) {
  if (!protects.empty()) {
    std::vector<bool> chosen(static_cast<std::size_t>(area.grid.patches()), false);
    for (const int patch : protects) chosen.at(static_cast<std::size_t>(patch)) = true;
    washPatches(canvas, area, chosen, kProtectedWash);
    outlinePatches(canvas, area, chosen, 1, kPrompt);
  }
  const auto at = [&](std::int64_t x, std::int64_t y) {
    return Point{area.box.x + (static_cast<double>(x) - crop.x) * area.box.width / crop.width,
                 area.box.y + (static_cast<double>(y) - crop.y) * area.box.height / crop.height};
  };
  std::vector<Segment> edges;
  for (std::size_t i = 0; i + 3 < prompts.boxes.size(); i += 4) {
    const auto* box = &prompts.boxes[i];
    const std::array<Point, 4> corners{at(box[0], box[1]), at(box[2], box[1]), at(box[2], box[3]),
                                       at(box[0], box[3])};
    for (std::size_t k = 0; k < corners.size(); ++k) {
      edges.push_back({corners[k], corners[(k + 1) % corners.size()]});
    }
  }
  constexpr double kEdge = 2;
  canvas.lines(edges, (kEdge + 2.5) * area.pixel, kRingHalo, clip);
  canvas.lines(edges, kEdge * area.pixel, kPrompt, clip);
  constexpr double kDot = 4.5;
  for (std::size_t i = 0; i + 1 < prompts.points.size(); i += 2) {
    // A point means the middle of its pixel.
    Point point = at(prompts.points[i], prompts.points[i + 1]);
    point.x += area.box.width / crop.width / 2;
    point.y += area.box.height / crop.height / 2;
    const bool seen = point.x >= clip.x && point.x <= clip.right() && point.y >= clip.y &&
                      point.y <= clip.bottom();
    if (seen) canvas.dot(point, kDot * area.pixel, kPrompt, kOutline);
  }
}

void outlinePatches(Canvas& canvas, const PatchArea& area, const std::vector<bool>& chosen,
                    double pixels, const Color& color) {
  const std::vector<Segment> lines = outlineOf(area, chosen);
  const double line = area.width(0.25, pixels);
  canvas.lines(lines, line + area.width(0.2, 2.5), kRingHalo);
  canvas.lines(lines, line, color);
}

}  // namespace adamerge
