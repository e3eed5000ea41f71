// SPDX-License-Identifier: GPL-3.0-or-later
// How far merging moved the patches' features, block by block: the mean and the worst tenth.
#pragma once

#include "plots/pane_series.h"
#include "plots/plot_panel.h"

namespace adamerge::ui {

class ChangePlot : public PlotPanel {
  Q_OBJECT
 public:
  explicit ChangePlot(QWidget* parent = nullptr);

  void setResults(const std::vector<PaneResult>& panes, int block);

 signals:
  void blockChosen(int block);
};

/// What ChangePlot shows: the change from the unmerged run, or, where the overlay shows that, from
/// another canvas's run.
PlotContent changeContent(const std::vector<PaneResult>& panes, int block);

}  // namespace adamerge::ui
