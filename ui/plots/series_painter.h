// SPDX-License-Identifier: GPL-3.0-or-later
// Draws one series of a PlotContent.
#pragma once

#include <vector>

#include "plots/plot_content.h"

class QCPAbstractItem;
class QCPAbstractPlottable;
class QCustomPlot;

namespace adamerge::ui {

/// Everything that is drawn for a series.
struct SeriesParts {
  std::vector<QCPAbstractPlottable*> plottables;  ///< the first stands in the legend
  std::vector<QCPAbstractItem*> labels;
};

SeriesParts paintSeries(QCustomPlot& plot, const PlotSeries& series, const PlotTheme& theme);

/// Of a thin line; grows with the font.
double lineWidth(const PlotTheme& theme);

}  // namespace adamerge::ui
