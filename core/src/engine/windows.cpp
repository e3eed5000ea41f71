// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/windows.h"

#include <algorithm>
#include <cmath>

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

std::optional<InputSize> pictureWithin(const PicturePlace& picture, const VitConfig& vit) {
  if (!vit.isWindowed() || picture.width == 0) return std::nullopt;
  const auto end = [](double offset, double scale, int side) {
    return static_cast<int>(std::lround(offset + scale * side));
  };
  const InputSize shown{end(picture.offset_y, picture.scale_y, picture.height),
                        end(picture.offset_x, picture.scale_x, picture.width)};
  if (shown.height >= vit.input_height && shown.width >= vit.input_width) return std::nullopt;
  return shown;
}

std::vector<bool> patchesWithin(const std::optional<InputSize>& picture, const VitConfig& vit) {
  std::vector<bool> within;
  if (!picture) return within;
  for (int row = 0; row < vit.gridHeight(); ++row) {
    for (int column = 0; column < vit.gridWidth(); ++column) {
      within.push_back(row * vit.patch_size < picture->height &&
                       column * vit.patch_size < picture->width);
    }
  }
  return within;
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
