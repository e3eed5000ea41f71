// SPDX-License-Identifier: GPL-3.0-or-later
// What the plots show of one pane.
#pragma once

#include <QString>
#include <vector>

#include "state/inspection.h"
#include "state/sweep.h"

namespace adamerge::ui {

struct PaneResult {
  int pane = 0;
  MethodChoice choice;
  InspectionPtr inspection;  ///< nullptr: none yet
  SweepPtr sweep;            ///< nullptr: none yet
  double unmerged = 0;       ///< FLOPs of the unmerged model, G, `paper`
};

/// How a pane's series are called and drawn.
struct PaneStyle {
  QString name;     ///< "AdaMerge, r_max 16"; with its number where another pane is called the same
  int variant = 0;  ///< how many panes before it have the same method
};

/// One for each pane.
std::vector<PaneStyle> paneStyles(const std::vector<PaneResult>& panes);
/// "AdaMerge, r_max 16: tokens left"; without the pane's name where there is only one.
QString seriesName(const PaneStyle& style, std::size_t panes, const QString& quantity);

}  // namespace adamerge::ui
