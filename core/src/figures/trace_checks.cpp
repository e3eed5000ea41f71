// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/trace_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "adamerge/error.h"

namespace adamerge {

void requireLayer(int layer, std::size_t count) {
  if (count > 0 && layer >= 0 && static_cast<std::size_t>(layer) < count) return;
  throw Error(fmt::format("layer {} is out of range: the trace has layers 0 to {}", layer,
                          static_cast<int>(count) - 1));
}

void requireGrid(int height, int width) {
  if (height >= 1 && width >= 1) return;
  throw Error(fmt::format("a patch grid of {} x {} cannot be drawn", height, width));
}

void requireTrace(const LayerTrace& trace, std::size_t index, const Grid& grid) {
  const auto patches = static_cast<std::size_t>(grid.patches());
  const bool fits = trace.groups.size() == patches &&
                    (trace.salience.empty() || trace.salience.size() == patches) &&
                    (trace.attention.empty() || trace.attention.size() == patches) &&
                    std::all_of(trace.groups.begin(), trace.groups.end(), [&](int group) {
                      return group >= 0 && static_cast<std::size_t>(group) < patches;
                    });
  if (fits) return;
  throw Error(fmt::format("the trace of layer {} does not fit a grid of {} x {} patches", index,
                          grid.height, grid.width));
}

void requireLensMap(const LensMap& map, const Grid& grid) {
  const auto patches = static_cast<std::size_t>(grid.patches());
  const auto fits = [patches](std::size_t size) { return size == 0 || size == patches; };
  if (fits(map.values.size()) && fits(map.colors.size()) && fits(map.hatched.size())) return;
  throw Error(fmt::format("what the lens shows does not fit a grid of {} x {} patches", grid.height,
                          grid.width));
}

}  // namespace adamerge
