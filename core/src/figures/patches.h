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

/// The picture with at most `pixels` columns.
Image reducedImage(const Image& picture, double pixels);

/// One pixel a patch.
Image gridImage(const Grid& grid, const PatchColors& colors);

/// Positions on the colour bar (0...1, one a patch) as colours, `width` x `height` pixels;
/// `smooth`: positions are interpolated between the centres of patches, not colours.
Image heatImage(const std::vector<float>& positions, const Grid& grid, Colormap colormap,
                bool smooth, int width, int height);

/// `colors`, of the panel's size, shaded by the panel's brightness relative to each patch's mean:
/// the picture stays readable while each patch still averages to its colour on the colour bar.
Image shadedImage(const Image& panel, const Grid& grid, const Image& colors);

/// Boundaries between patches of different groups within `box`, not its own edges. Straight runs
/// are one segment.
std::vector<Segment> groupBoundaries(const std::vector<int>& groups, const Grid& grid,
                                     const Box& box);

Box patchBox(int patch, const Grid& grid, const Box& box);

}  // namespace adamerge
