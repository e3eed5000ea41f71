// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/panel_grid.h"

#include <algorithm>

#include "figures/panels.h"

namespace adamerge {
namespace {

constexpr double kRowSpace = 5;

/// Rows as even as possible: twelve panels of which nine fit are two rows of six.
std::size_t columnsFor(const Scene& scene, std::size_t panels, double least_width) {
  const auto fitting =
      static_cast<std::size_t>((scene.contentWidth() + kGap) / (least_width + kGap));
  const std::size_t most = std::clamp<std::size_t>(fitting, 1, panels);
  const std::size_t rows = (panels + most - 1) / most;
  return (panels + rows - 1) / rows;
}

}  // namespace

double gridPanelWidth(const Scene& scene, std::size_t panels, double least_width) {
  const auto columns = static_cast<double>(columnsFor(scene, panels, least_width));
  return (scene.contentWidth() - (columns - 1) * kGap) / columns;
}

PanelGrid::PanelGrid(const Scene& scene, std::size_t panels, double least_width, double proportion,
                     double top, double below)
    : columns_(columnsFor(scene, panels, least_width)),
      rows_((panels + columns_ - 1) / columns_),
      panel_width_(gridPanelWidth(scene, panels, least_width)),
      panel_height_(panelHeight(proportion, panel_width_)),
      top_(top),
      below_(below) {}

double PanelGrid::bottom() const {
  return top_ + static_cast<double>(rows_) * (rowHeight() + kRowSpace) - kRowSpace;
}

Box PanelGrid::slot(std::size_t index) const {
  return {kMargin + static_cast<double>(index % columns_) * (panel_width_ + kGap),
          top_ + static_cast<double>(index / columns_) * (rowHeight() + kRowSpace), panel_width_,
          panel_height_};
}

}  // namespace adamerge
