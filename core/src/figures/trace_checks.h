// SPDX-License-Identifier: GPL-3.0-or-later
// What every drawing checks of a trace.
#pragma once

#include "adamerge/lenses.h"
#include "adamerge/result.h"
#include "figures/patches.h"

namespace adamerge {

/// Throws Error: `layer` is not one of `count` layers.
void requireLayer(int layer, std::size_t count);
/// Throws Error: a grid without patches.
void requireGrid(int height, int width);
/// Throws Error: groups, salience or attention of layer `index` are not of that grid.
void requireTrace(const LayerTrace& trace, std::size_t index, const Grid& grid);

/// Throws Error: a lens's values, colours or hatching are not of that grid.
void requireLensMap(const LensMap& map, const Grid& grid);

}  // namespace adamerge
