// SPDX-License-Identifier: GPL-3.0-or-later
// How many tokens each block merged over a set of images: box plots of the gallery's settings.
#pragma once

#include <memory>

#include "adamerge/picture_figures.h"
#include "plots/plot_panel.h"

namespace adamerge::ui {

class CountsPlot : public PlotPanel {
  Q_OBJECT
 public:
  explicit CountsPlot(QWidget* parent = nullptr);

  /// nullptr: nothing is measured.
  void setCounts(std::shared_ptr<const CountsFigure> counts);
  void setBlock(int block);

 signals:
  void blockChosen(int block);

 private:
  void update();

  std::shared_ptr<const CountsFigure> counts_;
  int block_ = 0;
};

/// What CountsPlot shows; the same distributions as the figure of `adamerge pictures --counts`.
PlotContent countsContent(const CountsFigure& counts, int block);

}  // namespace adamerge::ui
