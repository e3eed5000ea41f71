// SPDX-License-Identifier: GPL-3.0-or-later
// Results to plot, and ways to find series again.
#pragma once

#include <string>

#include "plots/pane_series.h"
#include "plots/plot_content.h"

namespace adamerge::ui::test {

/// Complete settings.
MethodChoice choiceOf(const std::string& method, const Settings& settings = {});
/// The bundled sample "bird" under a choice, run once per program.
PaneResult resultOf(int pane, const MethodChoice& choice);
/// The same with a sweep of four values, whose numbers are made up.
PaneResult sweptResult(int pane, const MethodChoice& choice);

/// The series with that quantity, of that pane if given; fails the test where there is none.
const PlotSeries& seriesOf(const PlotContent& content, const char* quantity, int source = -1);
bool hasSeries(const PlotContent& content, const QString& quantity);
std::vector<double> valuesOf(const PlotSeries& series);

}  // namespace adamerge::ui::test
