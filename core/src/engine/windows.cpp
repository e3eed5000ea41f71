// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/windows.h"

#include <algorithm>

namespace adamerge {

WindowGrid windowsOf(const VitConfig& vit, int side) {
  WindowGrid grid;
  grid.rows = side > 0 ? side : vit.gridHeight();
  grid.columns = side > 0 ? side : vit.gridWidth();
  for (int top = 0; top < vit.gridHeight(); top += grid.rows) {
    for (int left = 0; left < vit.gridWidth(); left += grid.columns) {
      grid.windows.push_back({top, left, std::min(grid.rows, vit.gridHeight() - top),
                              std::min(grid.columns, vit.gridWidth() - left)});
    }
  }
  return grid;
}

BlockWork windowedWork(const VitConfig& vit, const WindowGrid& grid,
                       const std::vector<std::int64_t>& tokens) {
  BlockWork work;
  double pairs = 0;
  for (std::size_t k = 0; k < grid.windows.size(); ++k) {
    const std::int64_t own = tokens[k] + grid.padding(grid.windows[k]);
    work.attention_tokens += static_cast<int>(own);
    pairs += static_cast<double>(own * own);
  }
  work.pairs = pairs;
  work.projected_tokens = static_cast<int>(grid.windows.size()) * grid.places();
  if (vit.windows.relative) {
    work.relative_macs =
        static_cast<double>(work.attention_tokens) * (grid.rows + grid.columns) * vit.dim;
  }
  return work;
}

}  // namespace adamerge
