// SPDX-License-Identifier: GPL-3.0-or-later
// Redundancy of this picture block by block against its calibrated mean and spread, and the z that
// sets AdaMerge's count.
#pragma once

#include "plots/pane_series.h"
#include "plots/plot_panel.h"

namespace adamerge::ui {

class RedundancyPlot : public PlotPanel {
  Q_OBJECT
 public:
  explicit RedundancyPlot(QWidget* parent = nullptr);

  /// `active`: the pane whose calibration stands behind the data; if that has none, the first that
  /// has one.
  void setResults(const std::vector<PaneResult>& panes, int active, int block);

 signals:
  void blockChosen(int block);
};

/// What RedundancyPlot shows.
PlotContent redundancyContent(const std::vector<PaneResult>& panes, int active, int block);

}  // namespace adamerge::ui
