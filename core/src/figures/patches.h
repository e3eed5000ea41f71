// SPDX-License-Identifier: GPL-3.0-or-later
// Patch-wise pictures as rasters, the outlines of groups as vectors, and what every drawing checks
// of a trace.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "adamerge/figures.h"
#include "adamerge/lenses.h"
#include "adamerge/result.h"
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

/// Throws Error: `layer` is not one of `count` layers.
void requireLayer(int layer, std::size_t count);
/// Throws Error: a grid without patches.
void requireGrid(int height, int width);
/// Throws Error: groups, salience or attention of layer `index` are not of that grid.
void requireTrace(const LayerTrace& trace, std::size_t index, const Grid& grid);

/// Throws Error: a lens's values, colours or hatching are not of that grid.
void requireLensMap(const LensMap& map, const Grid& grid);

}  // namespace adamerge
