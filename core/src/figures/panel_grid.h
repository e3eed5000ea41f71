// SPDX-License-Identifier: GPL-3.0-or-later
// Panels in rows of equal width, as many beside each other as fit.
#pragma once

#include <cstddef>

#include "figures/canvas.h"
#include "figures/scene.h"

namespace adamerge {

class PanelGrid {
 public:
  /// `below`: room for captions under each panel; `top`: where the first row begins.
  PanelGrid(const Scene& scene, std::size_t panels, double least_width, double proportion,
            double top, double below);

  double panelWidth() const { return panel_width_; }
  double bottom() const;
  /// Without the room below.
  Box slot(std::size_t index) const;

 private:
  double rowHeight() const { return panel_height_ + below_; }

  std::size_t columns_ = 1;
  std::size_t rows_ = 1;
  double panel_width_ = 0;
  double panel_height_ = 0;
  double top_ = 0;
  double below_ = 0;
};

/// How wide a panel of such a grid becomes.
double gridPanelWidth(const Scene& scene, std::size_t panels, double least_width);

}  // namespace adamerge
