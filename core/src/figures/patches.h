// SPDX-License-Identifier: GPL-3.0-or-later
// Patch-wise pictures as rasters, and the outlines of groups as vectors.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "adamerge/figures.h"
#include "figures/canvas.h"

namespace adamerge {

struct Grid {
  int height = 0;
  int width = 0;

  int patches() const { return height * width; }
  int at(int row, int column) const { return row * width + column; }
};

using PatchColors = std::vector<std::array<std::uint8_t, 3>>;

/// The view resampled to about `pixels` columns, and so that every patch covers the same whole
/// number of pixels: patch-wise edges stay crisp in every viewer, whatever its interpolation.
Image panelImage(const Image& view, const Grid& grid, double pixels);

/// A raster of the same size as `panel` with one colour per patch.
Image patchImage(const Image& panel, const Grid& grid, const PatchColors& colors);

/// The patches' colours, shaded by the panel's brightness relative to each patch's mean: the
/// picture stays readable while each patch still averages to its colour on the colour bar.
Image shadedPatchImage(const Image& panel, const Grid& grid, const PatchColors& colors);

/// Where `faded` is set, the panel's grey blended towards `background`.
Image fadedImage(const Image& panel, const Grid& grid, const std::vector<bool>& faded,
                 const Color& background);

/// Boundaries between patches of different groups within `box`, not its own edges. Straight runs
/// are one segment.
std::vector<Segment> groupBoundaries(const std::vector<int>& groups, const Grid& grid,
                                     const Box& box);

Box patchBox(int patch, const Grid& grid, const Box& box);

}  // namespace adamerge
