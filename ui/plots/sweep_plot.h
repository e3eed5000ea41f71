// SPDX-License-Identifier: GPL-3.0-or-later
// What happens to this picture's prediction over the whole range of the slider.
#pragma once

#include "plots/pane_series.h"
#include "plots/plot_panel.h"

class QComboBox;

namespace adamerge::ui {

enum class SweepAxis { kValue, kFlops, kPercent };

class SweepPlot : public PlotPanel {
  Q_OBJECT
 public:
  explicit SweepPlot(QWidget* parent = nullptr);

  /// Panes without a sweep yet are left out.
  void setResults(std::vector<PaneResult> panes, int active);
  SweepAxis axis() const;

 public slots:

 signals:
  /// A value of the compression setting was clicked.
  void valueChosen(int pane, int value);

 private:
  void update();

  QComboBox* axis_ = nullptr;
  std::vector<PaneResult> panes_;
  int active_ = 0;
};

/// What SweepPlot shows.
PlotContent sweepContent(const std::vector<PaneResult>& panes, SweepAxis axis);

}  // namespace adamerge::ui
