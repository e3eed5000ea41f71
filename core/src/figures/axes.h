// SPDX-License-Identifier: GPL-3.0-or-later
// Axes of a chart over the blocks of a network.
#pragma once

#include <string>
#include <vector>

#include "figures/canvas.h"
#include "figures/scene.h"

namespace adamerge {

/// Round numbers within [low, high], about `count` of them.
std::vector<double> niceTicks(double low, double high, int count);
/// A tick's label with as many decimals as tell it from its neighbours.
std::string tickLabel(double tick, const std::vector<double>& ticks);

/// Block numbers that get a label: all while they fit, then every second, fifth, ...
std::vector<int> blockTicks(int blocks, double width);

/// A plot area: blocks 0 ... blocks-1 from left to right, values from bottom to top.
struct Plot {
  Box area;
  int blocks = 1;
  double low = 0;
  double high = 1;

  double slot() const { return area.width / blocks; }
  /// The middle of block `index`; +-0.5 is its edge.
  double x(double index) const { return area.x + (index + 0.5) * slot(); }
  double y(double value) const {
    return area.bottom() - (value - low) / (high - low) * area.height;
  }
};

inline constexpr double kAxisSpace = 34;       ///< left of a plot: label, numbers, ticks
inline constexpr double kBlockAxisSpace = 22;  ///< below the lowest plot

void drawValueAxis(Canvas& canvas, const Scene& scene, const Plot& plot, std::string_view label,
                   int tick_count, bool with_grid = true);
/// The horizontal axis; `labelled` for the lowest of plots that share it.
void drawBlockAxis(Canvas& canvas, const Scene& scene, const Plot& plot, bool labelled);

}  // namespace adamerge
