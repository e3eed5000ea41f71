// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/redundancy_plot.h"

#include <algorithm>

namespace adamerge::ui {
namespace {

bool hasRedundancy(const Inspection& inspection) {
  const auto& layers = inspection.result.layers;
  return std::any_of(layers.begin(), layers.end(),
                     [](const LayerTrace& layer) { return layer.redundancy.has_value(); });
}

bool hasStatistics(const Inspection& inspection) {
  const auto& layers = inspection.result.layers;
  return std::any_of(layers.begin(), layers.end(),
                     [](const LayerTrace& layer) { return layer.mu && layer.sigma; });
}

PlotPoint pointAt(const LayerTrace& layer, int depth, double y) {
  PlotPoint point;
  point.x = layer.index + 1;
  point.y = y;
  point.key = layer.index;
  point.title = QObject::tr("Block %1 of %2").arg(layer.index + 1).arg(depth);
  return point;
}

QString shortNumber(double value) { return QString::number(value, 'f', 3); }

PlotSeries calibrated(const Inspection& inspection) {
  PlotSeries series;
  series.id = QStringLiteral("calibration");
  series.name = QObject::tr("Calibration, μ ± σ");
  series.legend = series.name;
  series.quantity = QObject::tr("redundancy");
  series.kind = SeriesKind::kBand;
  for (const LayerTrace& layer : inspection.result.layers) {
    if (!layer.mu || !layer.sigma) continue;
    PlotPoint point = pointAt(layer, inspection.depth(), *layer.mu);
    point.interval = PlotRange{*layer.mu - *layer.sigma, *layer.mu + *layer.sigma};
    point.text = QObject::tr("calibration: μ %1, σ %2")
                     .arg(shortNumber(*layer.mu), shortNumber(*layer.sigma));
    series.points.push_back(point);
  }
  return series;
}

PlotSeries redundancy(const Inspection& inspection, const QString& prefix) {
  PlotSeries series;
  series.quantity = QObject::tr("redundancy S̄");
  series.kind = SeriesKind::kMarkedLine;
  for (const LayerTrace& layer : inspection.result.layers) {
    if (!layer.redundancy) continue;
    PlotPoint point = pointAt(layer, inspection.depth(), *layer.redundancy);
    point.text = QObject::tr("%1S̄ %2").arg(prefix, shortNumber(point.y));
    series.points.push_back(point);
  }
  return series;
}

PlotSeries deviation(const Inspection& inspection, const QString& prefix) {
  PlotSeries series;
  series.quantity = QObject::tr("deviation z");
  series.kind = SeriesKind::kBars;
  series.second_axis = true;
  for (const LayerTrace& layer : inspection.result.layers) {
    if (!layer.z) continue;
    PlotPoint point = pointAt(layer, inspection.depth(), *layer.z);
    point.text = QObject::tr("%1z %2, %3 merged")
                     .arg(prefix, QString::number(point.y, 'f', 2))
                     .arg(layer.merged);
    series.points.push_back(point);
  }
  return series;
}

/// Zero of the right axis in the middle of the plot, so that sign can be read at a glance.
void centre(PlotContent& content) {
  double most = 1;
  bool any = false;
  for (const PlotSeries& series : content.series) {
    if (!series.second_axis) continue;
    for (const PlotPoint& point : series.points) most = std::max(most, std::abs(point.y));
    any = any || !series.points.empty();
  }
  if (!any) return;
  content.y2 = {QObject::tr("Deviation z (bars)"), -1.1 * most, 1.1 * most, false};
}

}  // namespace

PlotContent redundancyContent(const std::vector<PaneResult>& all, int active, int block) {
  PlotContent content;
  content.empty_text = QObject::tr(
      "Only AdaMerge measures redundancy. Choose it as the method to see S̄ and z of every block.");
  std::vector<PaneResult> panes;
  bool any_picture = false;
  for (const PaneResult& pane : all) {
    any_picture = any_picture || pane.inspection != nullptr;
    if (pane.inspection == nullptr || !hasRedundancy(*pane.inspection)) continue;
    panes.push_back(pane);
    panes.back().choice = pane.inspection->choice;
  }
  if (!any_picture) {
    content.empty_text = QObject::tr(
        "How redundant a picture's tokens are in each block, once one is open and computed.");
  }
  if (panes.empty()) return content;

  const PaneResult* behind = nullptr;
  for (const PaneResult& pane : panes) {
    if (!hasStatistics(*pane.inspection)) continue;
    if (behind == nullptr || pane.pane == active) behind = &pane;
  }
  if (behind != nullptr) content.series.push_back(calibrated(*behind->inspection));

  const std::vector<PaneStyle> styles = paneStyles(panes);
  const double width = 0.5 / static_cast<double>(panes.size());
  const auto add = [&](std::size_t i, PlotSeries series, bool leads) {
    if (series.points.empty()) return;
    assign(series, panes[i], styles[i], panes.size(), leads);
    series.marker = methodMarker(panes[i].choice.method);
    series.bar_width = width;
    series.bar_offset =
        (static_cast<double>(i) - (static_cast<double>(panes.size()) - 1) / 2) * width;
    content.series.push_back(std::move(series));
  };
  for (std::size_t i = 0; i < panes.size(); ++i) {
    if (!hasStatistics(*panes[i].inspection)) continue;
    add(i, deviation(*panes[i].inspection, styles[i].prefix), false);
  }
  for (std::size_t i = 0; i < panes.size(); ++i) {
    add(i, redundancy(*panes[i].inspection, styles[i].prefix), true);
  }
  content.x = {QObject::tr("Block"), 0.5, panes.front().inspection->depth() + 0.5, true};
  content.y = {QObject::tr("Redundancy S̄ (line)"), std::nullopt, std::nullopt, false};
  centre(content);
  content.highlight = PlotRange{block + 0.5, block + 1.5};
  if (behind == nullptr) {
    content.note =
        QObject::tr("No calibration fits these settings, so there is no μ ± σ and z counts as 0.");
  }
  return content;
}

RedundancyPlot::RedundancyPlot(QWidget* parent)
    : PlotPanel(QStringLiteral("redundancy"), tr("Redundancy per block"), parent) {
  connect(this, &PlotPanel::pointChosen, this,
          [this](const PlotPoint& point) { emit blockChosen(point.key); });
  setResults({}, 0, 0);
}

void RedundancyPlot::setResults(const std::vector<PaneResult>& panes, int active, int block) {
  setContent(redundancyContent(panes, active, block));
}

}  // namespace adamerge::ui
