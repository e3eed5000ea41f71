// SPDX-License-Identifier: GPL-3.0-or-later
#include "plot_fixture.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "adamerge/report.h"
#include "sample_inspection.h"

namespace adamerge::ui::test {

MethodChoice choiceOf(const std::string& method, const Settings& settings) {
  MethodChoice choice{method, settings, nullptr, false};
  choice.settings = completeSettings(choice);
  return choice;
}

PaneResult resultOf(int pane, const MethodChoice& choice) {
  static std::map<std::string, InspectionPtr> kept;
  const bool named = choice.statistics != nullptr;
  InspectionPtr& inspection = kept[describe(choice) + (named ? " (named)" : "")];
  if (inspection == nullptr) inspection = inspectSample(choice);
  return {pane, choice, inspection, nullptr, nullptr, bundledModel()->unmerged.paper};
}

PaneResult sweptResult(int pane, const MethodChoice& choice) {
  PaneResult result = resultOf(pane, choice);
  auto sweep = std::make_shared<Sweep>();
  sweep->choice = choice;
  sweep->limit = 30;
  const double unmerged = result.unmerged;
  sweep->points = {{0, {unmerged, unmerged}, 197, 0.9, true, 1.0},
                   {10, {unmerged * 0.8, unmerged * 0.8}, 120, 0.7, true, 0.95},
                   {20, {unmerged * 0.6, unmerged * 0.6}, 70, 0.3, false, 0.8},
                   {30, {unmerged * 0.5, unmerged * 0.5}, 40, 0.45, true, 0.75}};
  result.sweep = std::move(sweep);
  return result;
}

const PlotSeries& seriesOf(const PlotContent& content, const char* quantity, int source) {
  const auto found =
      std::find_if(content.series.begin(), content.series.end(), [&](const PlotSeries& series) {
        return series.quantity == quantity && series.source == source;
      });
  if (found == content.series.end()) {
    throw std::runtime_error(std::string("no series of ") + quantity);
  }
  return *found;
}

bool hasSeries(const PlotContent& content, const QString& quantity) {
  return std::any_of(content.series.begin(), content.series.end(),
                     [&](const PlotSeries& series) { return series.quantity == quantity; });
}

std::vector<double> valuesOf(const PlotSeries& series) {
  std::vector<double> values;
  for (const PlotPoint& point : series.points) values.push_back(point.y);
  return values;
}

}  // namespace adamerge::ui::test
