// SPDX-License-Identifier: GPL-3.0-or-later
// What is drawn on patches, in figures and in overlays: washes, hatching, rings, outlines; lines
// that tell groups of patches apart, and their colours from block to block.
#pragma once

#include <vector>

#include "adamerge/methods.h"
#include "adamerge/result.h"
#include "figures/canvas.h"
#include "figures/patches.h"

namespace adamerge {

/// Patches within a box. Line widths are in pixels, whatever the context's unit.
struct PatchArea {
  Grid grid;
  Box box;
  double pixel = 1;  ///< in units of the context

  double cell() const;  ///< the shorter side of a patch
  /// A share of the cell, at most `most` pixels: lines shrink with the patches, or a fine grid
  /// would be all lines.
  double width(double share, double most) const;
};

void washPatches(Canvas& canvas, const PatchArea& area, const std::vector<bool>& chosen,
                 const Color& color);
void hatchPatches(Canvas& canvas, const PatchArea& area, const std::vector<bool>& chosen,
                  const Color& color);
void ringPatches(Canvas& canvas, const PatchArea& area, const std::vector<bool>& chosen,
                 double opacity);
/// Patches merged away washed and hatched, those that absorbed others ringed.
void markFates(Canvas& canvas, const PatchArea& area, const std::vector<PatchFate>& fates,
               double opacity);
/// Patches whose token was dropped, hatched: another one stands for them.
void markDropped(Canvas& canvas, const PatchArea& area, const std::vector<bool>& dropped,
                 double opacity);
/// Patches of other groups than in another run, tinted and hatched.
void markDifference(Canvas& canvas, const PatchArea& area, const std::vector<bool>& differ,
                    double opacity);

/// Lines between windows of `window` rows and columns of patches, counted from the upper left;
/// nothing where one holds the grid, or `window` is empty.
void markWindows(Canvas& canvas, const PatchArea& area, const std::vector<int>& window);
/// Whether markWindows() draws anything.
bool hasSeveralWindows(const Grid& grid, const std::vector<int>& window);
/// Boxes and points, and the patches that they protect outlined; cut off at the edges of `clip`.
/// `crop`: what the area shows of the picture, in its pixels.
void markPrompts(Canvas& canvas, const PatchArea& area, const Rectangle& crop,
                 const Prompts& prompts, const std::vector<int>& protects, const Box& clip);

/// One line around the chosen patches, `pixels` wide.
void outlinePatches(Canvas& canvas, const PatchArea& area, const std::vector<bool>& chosen,
                    double pixels, const Color& color);

/// White lines between all groups; between those of one patch only where patches are not tiny.
void outlineGroups(Canvas& canvas, const PatchArea& area, const std::vector<int>& groups);
/// Of every patch the number of its group's colour after `layer`; -1: the group is one patch.
/// Groups that touch, be it at a corner, have different colours. A group keeps its colour from
/// block to block, of joined ones that of the largest, unless it comes to touch one of the same;
/// of a restored block only its own groups count.
std::vector<int> outlineColors(const std::vector<LayerTrace>& layers, int layer, const Grid& grid);
/// Lines within the edge of every group of more than one patch, in the colour that outlineColors()
/// gives it; hairlines between the others.
void outlineGroupsByColor(Canvas& canvas, const PatchArea& area, const std::vector<int>& groups,
                          const std::vector<int>& colors, double opacity);

}  // namespace adamerge
