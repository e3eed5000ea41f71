// SPDX-License-Identifier: GPL-3.0-or-later
#include "state/inspection.h"

#include <cmath>
#include <numeric>

namespace adamerge::ui {

QRectF Inspection::patchRect(int patch) const {
  const Rectangle& crop = prepared->crop;
  const double width = crop.width / gridWidth();
  const double height = crop.height / gridHeight();
  return {crop.x + patch % gridWidth() * width, crop.y + patch / gridWidth() * height, width,
          height};
}

std::optional<int> Inspection::patchAt(const QPointF& point) const {
  const Rectangle& crop = prepared->crop;
  const double column = std::floor((point.x() - crop.x) / crop.width * gridWidth());
  const double row = std::floor((point.y() - crop.y) / crop.height * gridHeight());
  if (column < 0 || row < 0 || column >= gridWidth() || row >= gridHeight()) return std::nullopt;
  return static_cast<int>(row) * gridWidth() + static_cast<int>(column);
}

std::vector<int> Inspection::groupOf(int patch, int block) const {
  if (block < 0) return {patch};
  const std::vector<int>& groups = result.layers[static_cast<std::size_t>(block)].groups;
  std::vector<int> members;
  for (std::size_t other = 0; other < groups.size(); ++other) {
    if (groups[other] == groups[static_cast<std::size_t>(patch)]) {
      members.push_back(static_cast<int>(other));
    }
  }
  return members;
}

std::optional<int> Inspection::mergedIn(int patch) const {
  for (std::size_t block = 0; block < survivors.size(); ++block) {
    if (survivors[block][static_cast<std::size_t>(patch)] != patch) return static_cast<int>(block);
  }
  return std::nullopt;
}

OverlayInput Inspection::overlayInput(int block) const {
  OverlayInput input;
  input.image = prepared.get();
  input.grid_height = gridHeight();
  input.grid_width = gridWidth();
  input.layers = &result.layers;
  input.layer = block;
  return input;
}

}  // namespace adamerge::ui
