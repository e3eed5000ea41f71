// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/series_painter.h"

#include <qcustomplot.h>

#include <QFontMetricsF>
#include <algorithm>
#include <array>
#include <limits>

namespace adamerge::ui {
namespace {

QCPScatterStyle::ScatterShape shapeOf(Marker marker) {
  switch (marker) {
    case Marker::kCircle:
      return QCPScatterStyle::ssCircle;
    case Marker::kSquare:
      return QCPScatterStyle::ssSquare;
    case Marker::kTriangle:
      return QCPScatterStyle::ssTriangle;
    case Marker::kPlusCircle:
      return QCPScatterStyle::ssPlusCircle;
    case Marker::kDiamond:
      return QCPScatterStyle::ssDiamond;
    case Marker::kTriangleDown:
      return QCPScatterStyle::ssTriangleInverted;
    case Marker::kStar:
      return QCPScatterStyle::ssStar;
  }
  return QCPScatterStyle::ssCircle;
}

/// More points of a line are not all marked: the markers would hide it.
constexpr std::size_t kMostMarkers = 40;
constexpr std::size_t kFewMarkers = 16;

Qt::BrushStyle hatching(int variant) {
  constexpr std::array<Qt::BrushStyle, 4> kStyles{Qt::SolidPattern, Qt::BDiagPattern,
                                                  Qt::FDiagPattern, Qt::DiagCrossPattern};
  return kStyles[static_cast<std::size_t>(variant) % kStyles.size()];
}

class SeriesPainter {
 public:
  SeriesPainter(QCustomPlot& plot, const PlotSeries& series, const PlotTheme& theme)
      : plot_(plot),
        series_(series),
        theme_(theme),
        values_(series.second_axis ? plot.yAxis2 : plot.yAxis),
        color_(series.color.isValid() ? onGround(theme, series.color) : theme.muted),
        line_width_(lineWidth(theme)),
        marker_size_(1.15 * QFontMetricsF(theme.font).xHeight()) {}

  SeriesParts paint() {
    switch (series_.kind) {
      case SeriesKind::kBars:
        paintBars();
        break;
      case SeriesKind::kBand:
        paintBand();
        break;
      case SeriesKind::kBrackets:
        paintBrackets();
        break;
      case SeriesKind::kBoxes:
        paintBoxes();
        break;
      default:
        paintGraph();
    }
    for (QCPAbstractPlottable* part : parts_.plottables) part->setSelectable(QCP::stNone);
    parts_.plottables.front()->setName(series_.legend);
    paintLabels();
    return std::move(parts_);
  }

 private:
  QCPGraph* addGraph() {
    QCPGraph* graph = plot_.addGraph(plot_.xAxis, values_);
    parts_.plottables.push_back(graph);
    return graph;
  }

  void paintBars() {
    auto* bars = new QCPBars(plot_.xAxis, values_);
    bars->setWidthType(QCPBars::wtPlotCoords);
    bars->setWidth(series_.bar_width);
    for (const PlotPoint& point : series_.points) {
      bars->addData(point.x + series_.bar_offset, point.y);
    }
    bars->setPen(QPen(color_, line_width_ * 0.6));
    QColor fill = color_;
    fill.setAlphaF(series_.variant == 0 ? 0.4F : 0.8F);
    bars->setBrush(QBrush(fill, hatching(series_.variant)));
    parts_.plottables.push_back(bars);
  }

  /// The mean is a dot.
  void paintBoxes() {
    auto* boxes = new QCPStatisticalBox(plot_.xAxis, values_);
    boxes->setWidth(series_.bar_width);
    boxes->setWhiskerWidth(series_.bar_width / 2);
    for (const PlotPoint& point : series_.points) {
      if (!point.interval || !point.box) continue;
      boxes->addData(point.x + series_.bar_offset, point.interval->low, point.box->quartiles.low,
                     point.y, point.box->quartiles.high, point.interval->high, {point.box->mean});
    }
    const QPen thin(color_, line_width_ * 0.6);
    boxes->setPen(thin);
    boxes->setWhiskerPen(thin);
    boxes->setWhiskerBarPen(thin);
    boxes->setMedianPen(QPen(color_, line_width_ * 1.5));
    boxes->setOutlierStyle({QCPScatterStyle::ssDisc, color_, color_, marker_size_ * 0.5});
    QColor fill = color_;
    fill.setAlphaF(0.25F);
    boxes->setBrush(QBrush(fill, hatching(series_.variant)));
    parts_.plottables.push_back(boxes);
  }

  void paintBand() {
    QCPGraph* upper = addGraph();
    QCPGraph* lower = addGraph();
    QCPGraph* middle = addGraph();
    for (const PlotPoint& point : series_.points) {
      const PlotRange extent = point.interval.value_or(PlotRange{point.y, point.y});
      upper->addData(point.x, extent.high);
      lower->addData(point.x, extent.low);
      middle->addData(point.x, point.y);
    }
    // An edge, or neither the band nor its place in the legend stands out from the ground.
    const QPen edge(theme_.muted, line_width_ * 0.35);
    upper->setPen(edge);
    lower->setPen(edge);
    upper->setBrush(theme_.band);
    upper->setChannelFillGraph(lower);
    middle->setPen(QPen(theme_.muted, line_width_ * 0.7, Qt::DashLine));
  }

  /// Down to one, across, down to the other.
  void paintBrackets() {
    auto* curve = new QCPCurve(plot_.xAxis, values_);
    for (const PlotPoint& point : series_.points) {
      if (!point.bracket) continue;
      const PlotBracket& ends = *point.bracket;
      curve->addData(ends.left_x, ends.left_y);
      curve->addData(ends.left_x, point.y);
      curve->addData(ends.right_x, point.y);
      curve->addData(ends.right_x, ends.right_y);
      // Not a number: the pen is lifted.
      curve->addData(ends.right_x, std::numeric_limits<double>::quiet_NaN());
    }
    curve->setPen(QPen(color_, line_width_ * (series_.faint ? 0.5 : 1)));
    parts_.plottables.push_back(curve);
  }

  bool crowded() const {
    return series_.kind == SeriesKind::kMarkedLine && series_.points.size() > kMostMarkers;
  }

  QCPScatterStyle scatter(bool hollow) const {
    return {shapeOf(series_.marker), QPen(color_, line_width_ * (hollow ? 0.9 : 0.6)),
            hollow ? theme_.background : color_, marker_size_ * (hollow && !crowded() ? 1.15 : 1)};
  }

  void paintGraph() {
    QCPGraph* graph = addGraph();
    for (const PlotPoint& point : series_.points) graph->addData(point.x, point.y);
    graph->setPen(QPen(color_, line_width_ * (series_.faint ? 0.75 : 1.25),
                       lineStyle(series_.variant + (series_.faint ? 1 : 0))));
    if (series_.kind == SeriesKind::kSteps) graph->setLineStyle(QCPGraph::lsStepCenter);
    if (series_.kind == SeriesKind::kMarkers) graph->setLineStyle(QCPGraph::lsNone);
    if (series_.kind != SeriesKind::kMarkers && series_.kind != SeriesKind::kMarkedLine) return;
    const auto hollow = [](const PlotPoint& point) { return point.hollow; };
    const bool all_hollow = std::all_of(series_.points.begin(), series_.points.end(), hollow);
    graph->setScatterStyle(scatter(all_hollow));
    if (crowded()) graph->setScatterSkip(static_cast<int>(series_.points.size() / kFewMarkers));
    paintIntervals(graph);
    if (!all_hollow) paintHollow();
  }

  /// Over the filled markers, which they cover.
  void paintHollow() {
    QCPGraph* graph = addGraph();
    graph->setLineStyle(QCPGraph::lsNone);
    graph->setScatterStyle(scatter(true));
    for (const PlotPoint& point : series_.points) {
      if (point.hollow) graph->addData(point.x, point.y);
    }
  }

  void paintIntervals(QCPGraph* graph) {
    const bool any = std::any_of(series_.points.begin(), series_.points.end(),
                                 [](const PlotPoint& point) { return point.interval.has_value(); });
    if (!any) return;
    auto* bars = new QCPErrorBars(plot_.xAxis, values_);
    bars->setDataPlottable(graph);
    bars->setErrorType(QCPErrorBars::etValueError);
    bars->setPen(QPen(color_, line_width_ * 0.7));
    bars->setWhiskerWidth(marker_size_ * 0.9);
    bars->setSymbolGap(0);
    // The graph sorts its points by x, error bars go by index.
    std::vector<PlotPoint> points = series_.points;
    std::stable_sort(points.begin(), points.end(),
                     [](const PlotPoint& a, const PlotPoint& b) { return a.x < b.x; });
    for (const PlotPoint& point : points) {
      const PlotRange extent = point.interval.value_or(PlotRange{point.y, point.y});
      bars->addData(point.y - extent.low, extent.high - point.y);
    }
    parts_.plottables.push_back(bars);
  }

  void paintLabels() {
    for (const PlotPoint& point : series_.points) {
      if (point.label.isEmpty()) continue;
      auto* text = new QCPItemText(&plot_);
      text->position->setAxes(plot_.xAxis, values_);
      text->position->setCoords(point.x, point.y);
      text->setPositionAlignment(Qt::AlignHCenter | Qt::AlignBottom);
      text->setText(point.label);
      text->setFont(theme_.font);
      text->setColor(theme_.ink);
      text->setPadding(QMargins(0, 0, 0, static_cast<int>(marker_size_ * 0.7)));
      text->setSelectable(false);
      parts_.labels.push_back(text);
    }
  }

  QCustomPlot& plot_;
  const PlotSeries& series_;
  const PlotTheme& theme_;
  QCPAxis* values_;
  QColor color_;
  double line_width_;
  double marker_size_;
  SeriesParts parts_;
};

}  // namespace

double lineWidth(const PlotTheme& theme) { return 0.24 * QFontMetricsF(theme.font).xHeight(); }

SeriesParts paintSeries(QCustomPlot& plot, const PlotSeries& series, const PlotTheme& theme) {
  return SeriesPainter(plot, series, theme).paint();
}

}  // namespace adamerge::ui
