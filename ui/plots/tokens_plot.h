// SPDX-License-Identifier: GPL-3.0-or-later
// Tokens left after each block and tokens merged in it, for this picture.
#pragma once

#include <optional>

#include "plots/pane_series.h"
#include "plots/plot_panel.h"

namespace adamerge::ui {

class TokensPlot : public PlotPanel {
  Q_OBJECT
 public:
  explicit TokensPlot(QWidget* parent = nullptr);

  /// `active`: the pane whose calibration stands behind the data.
  void setResults(const std::vector<PaneResult>& panes, int active, int block,
                  std::optional<int> selected_patch);

 signals:
  void blockChosen(int block);
};

/// What TokensPlot shows.
PlotContent tokensContent(const std::vector<PaneResult>& panes, int active, int block,
                          std::optional<int> selected_patch);

}  // namespace adamerge::ui
