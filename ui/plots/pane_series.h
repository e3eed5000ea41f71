// SPDX-License-Identifier: GPL-3.0-or-later
// What the plots show of one pane.
#pragma once

#include <QString>
#include <vector>

#include "bench/data.h"
#include "plots/plot_content.h"

namespace adamerge::ui {

struct PaneResult {
  int pane = 0;
  MethodChoice choice;
  InspectionPtr inspection;  ///< nullptr: none yet
  SweepPtr sweep;            ///< nullptr: none yet
  LensShownPtr lens = {};    ///< what its overlay's lens shows; nullptr: the overlay is none
  double unmerged = 0;       ///< FLOPs of the unmerged model, G, `paper`
};

/// How a pane's series are called and drawn.
struct PaneStyle {
  QString prefix;   ///< of read-outs: the name and a colon; empty where there is one pane only
  QString name;     ///< "AdaMerge, r_max 16"; with its number where another pane is called the same
  int variant = 0;  ///< how many panes before it have the same method
};

/// One for each pane.
std::vector<PaneStyle> paneStyles(const std::vector<PaneResult>& panes);
/// Names and draws `series` as a pane's. With one pane each quantity has its own place in the
/// legend; with several each pane has one, that of the series with `leads`.
void assign(PlotSeries& series, const PaneResult& pane, const PaneStyle& style, std::size_t panes,
            bool leads);

}  // namespace adamerge::ui
