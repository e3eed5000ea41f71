// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/change_plot.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace adamerge::ui {
namespace {

using Changes = std::vector<FeatureChange>;

/// From the other canvas's run, once the overlay shows that of every block; empty: it does not.
Changes fromOther(const PaneResult& pane) {
  const LensShownPtr& lens = pane.lens;
  if (lens == nullptr || lens->inspection != pane.inspection ||
      lens->query.kind != LensKind::kChange || !lens->query.from_other) {
    return {};
  }
  Changes changes;
  for (int block = 0; block < pane.inspection->depth(); ++block) {
    const LensMap* map = lens->map(*pane.inspection, lens->kind, block);
    if (map == nullptr || map->values.empty()) return {};
    FeatureChange change{map->values, 0, percentile(map->values, 90)};
    change.mean = std::accumulate(map->values.begin(), map->values.end(), 0.0) /
                  static_cast<double>(map->values.size());
    changes.push_back(std::move(change));
  }
  return changes;
}

PlotSeries changeSeries(const Changes& changes, const QString& prefix, double FeatureChange::*value,
                        const QString& name) {
  PlotSeries series;
  series.quantity = name;
  series.kind = SeriesKind::kMarkedLine;
  for (std::size_t block = 0; block < changes.size(); ++block) {
    PlotPoint point;
    point.x = static_cast<double>(block) + 1;
    point.y = changes[block].*value;
    point.key = static_cast<int>(block);
    point.title = QObject::tr("Block %1 of %2").arg(block + 1).arg(changes.size());
    point.text = QObject::tr("%1%2 %3").arg(prefix, name, QString::number(point.y, 'f', 4));
    series.points.push_back(point);
  }
  return series;
}

}  // namespace

PlotContent changeContent(const std::vector<PaneResult>& all, int block) {
  PlotContent content;
  content.empty_text = QObject::tr(
      "What merging changes of a picture's features in each block, once one is open and computed.");
  std::vector<PaneResult> panes;
  std::vector<Changes> between;  // one a pane, empty where there is none
  for (const PaneResult& pane : all) {
    if (pane.inspection == nullptr || pane.inspection->change.empty()) continue;
    panes.push_back(pane);
    panes.back().choice = pane.inspection->choice;
    between.push_back(fromOther(pane));
  }
  if (panes.empty()) return content;
  const bool other = std::any_of(between.begin(), between.end(),
                                 [](const Changes& changes) { return !changes.empty(); });
  const std::vector<PaneStyle> styles = paneStyles(panes);
  const auto add = [&](std::size_t i, double FeatureChange::*value, const QString& name,
                       bool leads) {
    const Changes& changes = other ? between[i] : panes[i].inspection->change;
    if (changes.empty()) return;
    PlotSeries series = changeSeries(changes, styles[i].prefix, value, name);
    assign(series, panes[i], styles[i], panes.size(), leads);
    series.marker = methodMarker(panes[i].choice.method);
    if (!leads) series.kind = SeriesKind::kLine;
    content.series.push_back(std::move(series));
  };
  for (std::size_t i = 0; i < panes.size(); ++i) {
    add(i, &FeatureChange::worst, QObject::tr("worst tenth"), false);
  }
  for (std::size_t i = 0; i < panes.size(); ++i) {
    add(i, &FeatureChange::mean, QObject::tr("mean change"), true);
  }
  content.x = {QObject::tr("Block"), 0.5, panes.front().inspection->depth() + 0.5, true};
  content.y = {
      other ? QObject::tr("From the other canvas, 1 − cosine") : QObject::tr("Change, 1 − cosine"),
      0.0, std::nullopt, false};
  content.highlight = PlotRange{block + 0.5, block + 1.5};
  return content;
}

ChangePlot::ChangePlot(QWidget* parent)
    : PlotPanel(QStringLiteral("change"), tr("Change of features per block"), parent) {
  connect(this, &PlotPanel::pointChosen, this,
          [this](const PlotPoint& point) { emit blockChosen(point.key); });
  setResults({}, 0);
}

void ChangePlot::setResults(const std::vector<PaneResult>& panes, int block) {
  setContent(changeContent(panes, block));
}

}  // namespace adamerge::ui
