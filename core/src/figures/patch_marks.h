// SPDX-License-Identifier: GPL-3.0-or-later
// What is drawn on patches, in figures and in overlays: washes, hatching, rings, outlines.
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

}  // namespace adamerge
