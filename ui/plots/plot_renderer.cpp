// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_renderer.h"

#include <qcustomplot.h>

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

namespace adamerge::ui {

PlotLegend::PlotLegend(QCustomPlot& plot) : plot_(plot) {
  plot_.axisRect()->insetLayout()->take(plot_.legend);
  plot_.axisRect()->insetLayout()->simplify();
  // The empty second column takes what the legend leaves, so that items stay together on the left.
  auto* row = new QCPLayoutGrid;
  plot_.plotLayout()->insertRow(0);
  plot_.plotLayout()->addElement(0, 0, row);
  plot_.plotLayout()->setRowStretchFactor(0, 0.001);
  plot_.plotLayout()->setRowSpacing(0);
  row->addElement(0, 0, plot_.legend);
  row->addElement(0, 1, new QCPLayoutElement(&plot_));
  row->setColumnStretchFactor(0, 0.001);
  plot_.legend->setLayer(QStringLiteral("legend"));
  plot_.legend->setBorderPen(Qt::NoPen);
  plot_.legend->setBrush(Qt::NoBrush);
  plot_.legend->setSelectableParts(QCPLegend::spNone);
}

void PlotLegend::clear() {
  entries_.clear();
  plot_.legend->clearItems();
}

void PlotLegend::add(const QString& id, QCPAbstractPlottable* plottable) {
  auto* item = new QCPPlottableLegendItem(plot_.legend, plottable);
  item->setSelectable(false);
  item->setMargins(QMargins(0, 1, 0, 3));
  plot_.legend->addItem(item);
  entries_.push_back({id, plottable->name(), item});
}

void PlotLegend::applyTheme(const PlotTheme& theme) {
  theme_ = theme;
  const int em = static_cast<int>(QFontMetricsF(theme.font).height());
  QCPLegend* legend = plot_.legend;
  legend->setFont(theme.font);
  legend->setTextColor(theme.ink);
  legend->setIconSize(em * 5 / 4, std::max(8, em * 3 / 4));
  legend->setIconTextPadding(em / 3);
  legend->setColumnSpacing(em * 2 / 3);
  legend->setRowSpacing(em / 8);
  legend->setMargins(QMargins(em / 2, em / 4, em / 2, em / 8));
}

void PlotLegend::setHidden(const QSet<QString>& hidden) {
  for (const Entry& entry : entries_) {
    QFont font = theme_.font;
    font.setStrikeOut(hidden.contains(entry.id));
    entry.item->setFont(font);
    QColor color = hidden.contains(entry.id) ? theme_.muted : theme_.ink;
    entry.item->setTextColor(color);
  }
  plot_.legend->setVisible(!entries_.empty());
}

int PlotLegend::columnsFor(int width) const {
  const int spacing = plot_.legend->columnSpacing();
  const int icon = plot_.legend->iconSize().width() + plot_.legend->iconTextPadding();
  const QFontMetricsF metrics(theme_.font);
  for (int columns = count(); columns > 1; --columns) {
    std::vector<int> widths(static_cast<std::size_t>(columns), 0);
    for (int i = 0; i < count(); ++i) {
      int& column = widths[static_cast<std::size_t>(i % columns)];
      const QString& name = entries_[static_cast<std::size_t>(i)].name;
      const int needed = icon + static_cast<int>(std::ceil(metrics.horizontalAdvance(name))) + 2;
      column = std::max(column, needed);
    }
    int total = spacing * (columns - 1);
    for (const int column : widths) total += column;
    if (total <= width) return columns;
  }
  return 1;
}

void PlotLegend::arrange(int width) {
  if (entries_.empty()) return;
  const QMargins margins = plot_.legend->margins();
  const int available = width - margins.left() - margins.right();
  const int icon = plot_.legend->iconSize().width() + plot_.legend->iconTextPadding();
  const QFontMetricsF metrics(theme_.font);
  for (const Entry& entry : entries_) {
    entry.item->plottable()->setName(
        metrics.elidedText(entry.name, Qt::ElideRight, std::max(20, available - icon - 2)));
  }
  plot_.legend->setWrap(columnsFor(available));
  plot_.legend->setFillOrder(QCPLayoutGrid::foColumnsFirst, true);
}

QString PlotLegend::seriesOf(const QCPAbstractLegendItem* item) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [item](const Entry& entry) { return entry.item == item; });
  return found == entries_.end() ? QString() : found->id;
}

QRect PlotLegend::rectOf(const QString& id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.id == id; });
  return found == entries_.end() ? QRect() : found->item->outerRect();
}

namespace {

/// Ticks at whole numbers only, however far the plot is zoomed in.
class WholeNumberTicker : public QCPAxisTicker {
 protected:
  double getTickStep(const QCPRange& range) override {
    return std::max(1.0, std::round(QCPAxisTicker::getTickStep(range)));
  }
  int getSubTickCount(double) override { return 0; }
};

/// 1, 2 and 5 of every decade; over more than two and a half decades 1 alone.
class LogarithmicTicker : public QCPAxisTicker {
 protected:
  QVector<double> createTickVector(double /*step*/, const QCPRange& range) override {
    constexpr double kManyDecades = 300;
    QVector<double> ticks;
    if (range.lower <= 0) return ticks;
    const bool few = range.upper > kManyDecades * range.lower;
    for (double decade = std::pow(10, std::floor(std::log10(range.lower))); decade <= range.upper;
         decade *= 10) {
      ticks << decade;
      if (!few) ticks << 2 * decade << 5 * decade;
    }
    return ticks;
  }
  int getSubTickCount(double) override { return 0; }
};

void widen(std::optional<PlotRange>& range, double low, double high) {
  if (!range) range = PlotRange{low, high};
  range->low = std::min(range->low, low);
  range->high = std::max(range->high, high);
}

PlotRange padded(const std::optional<PlotRange>& data, const PlotAxis& axis, double share) {
  PlotRange range = data.value_or(PlotRange{});
  if (axis.low) range.low = *axis.low;
  if (axis.high) range.high = *axis.high;
  if (axis.logarithmic) {
    if (range.low <= 0) return {0.1, 1};  // no data
    constexpr double kHalfADecade = 3.2;
    const double factor =
        range.high > range.low ? std::pow(range.high / range.low, share) : kHalfADecade;
    return {range.low / factor, range.high * factor};
  }
  const double extent = range.high - range.low;
  const double margin = extent > 0 ? extent * share : std::max(0.5, std::abs(range.high) * 0.1);
  if (!axis.low) range.low -= margin;
  if (!axis.high) range.high += margin;
  return range;
}

}  // namespace

PlotRenderer::PlotRenderer(QCustomPlot& plot) : plot_(plot), legend_(plot) {
  plot_.setAutoAddPlottableToLegend(false);
  plot_.setNoAntialiasingOnDrag(false);
  plot_.setPlottingHint(QCP::phCacheLabels, true);
  plot_.setPlottingHint(QCP::phFastPolylines, true);
  QObject::connect(&plot_, &QCustomPlot::afterLayout, &plot_, [this] { elideLabels(); });
  plot_.axisRect()->setMinimumMargins(QMargins(4, 6, 4, 4));
}

void PlotRenderer::draw(const PlotContent& content, const PlotTheme& theme,
                        const QSet<QString>& hidden) {
  content_ = content;
  theme_ = theme;
  legend_.clear();
  plot_.clearPlottables();
  for (QCPAbstractItem* item : items_) plot_.removeItem(item);
  items_.clear();
  drawn_.clear();
  applyTheme();
  drawHighlight();
  for (const PlotSeries& series : content_.series) drawSeries(series);
  for (const PlotGuide& guide : content_.guides) drawGuide(guide);
  setHidden(hidden);
}

void PlotRenderer::setHidden(const QSet<QString>& hidden) {
  hidden_ = hidden;
  for (const auto& [id, parts] : drawn_) {
    const bool visible = !hidden_.contains(id);
    for (QCPAbstractPlottable* plottable : parts.plottables) plottable->setVisible(visible);
    for (QCPAbstractItem* label : parts.labels) label->setVisible(visible);
  }
  legend_.setHidden(hidden_);
}

PlotRange PlotRenderer::range(const QCPAxis* axis) const {
  return {axis->range().lower, axis->range().upper};
}

void PlotRenderer::setRanges(const PlotRange& x, const PlotRange& y, const PlotRange& y2) {
  plot_.xAxis->setRange(x.low, x.high);
  plot_.yAxis->setRange(y.low, y.high);
  plot_.yAxis2->setRange(y2.low, y2.high);
}

void PlotRenderer::fit() {
  std::optional<PlotRange> x;
  std::optional<PlotRange> y;
  std::optional<PlotRange> y2;
  for (const PlotSeries& series : content_.series) {
    if (hidden_.contains(series.id)) continue;
    auto& values = series.second_axis ? y2 : y;
    for (const PlotPoint& point : series.points) {
      widen(x, point.x, point.x);
      widen(values, point.y, point.y);
      if (point.interval) widen(values, point.interval->low, point.interval->high);
    }
  }
  setRanges(padded(x, content_.x, 0.04), padded(y, content_.y, 0.08),
            padded(y2, content_.y2, 0.08));
}

void PlotRenderer::applyTheme() {
  plot_.setBackground(theme_.transparent ? QBrush(Qt::NoBrush) : QBrush(theme_.background));
  styleAxis(plot_.xAxis, content_.x);
  styleAxis(plot_.yAxis, content_.y);
  styleAxis(plot_.yAxis2, content_.y2);
  plot_.yAxis2->setVisible(!content_.y2.label.isEmpty());
  plot_.yAxis2->grid()->setVisible(false);
  legend_.applyTheme(theme_);
}

void PlotRenderer::styleAxis(QCPAxis* axis, const PlotAxis& spec) {
  const double em = QFontMetricsF(theme_.font).height();
  const QPen rule(theme_.rule, std::max(0.6, em * 0.06));
  axis->setLabel(spec.label);
  axis->setLabelFont(theme_.font);
  axis->setTickLabelFont(theme_.font);
  axis->setLabelColor(theme_.ink);
  axis->setTickLabelColor(theme_.muted);
  axis->setBasePen(rule);
  axis->setTickPen(rule);
  axis->setSubTicks(false);
  axis->setTickLength(0, static_cast<int>(em * 0.25));
  axis->setTickLabelPadding(static_cast<int>(em * 0.2));
  axis->setLabelPadding(static_cast<int>(em * 0.2));
  axis->setPadding(static_cast<int>(em * 0.15));
  axis->grid()->setPen(QPen(theme_.grid, rule.widthF()));
  axis->grid()->setZeroLinePen(QPen(theme_.grid, rule.widthF()));
  axis->setScaleType(spec.logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
  QSharedPointer<QCPAxisTicker> ticker(spec.logarithmic     ? new LogarithmicTicker
                                       : spec.whole_numbers ? new WholeNumberTicker
                                                            : new QCPAxisTicker);
  ticker->setTickCount(axis->orientation() == Qt::Horizontal ? 7 : 5);
  axis->setTicker(ticker);
}

void PlotRenderer::elideLabels() {
  const QFontMetricsF metrics(theme_.font);
  const int room = plot_.axisRect()->height();
  plot_.yAxis->setLabel(metrics.elidedText(content_.y.label, Qt::ElideRight, room));
  plot_.yAxis2->setLabel(metrics.elidedText(content_.y2.label, Qt::ElideRight, room));
}

void PlotRenderer::drawHighlight() {
  if (!content_.highlight) return;
  auto* rect = new QCPItemRect(&plot_);
  rect->setLayer(QStringLiteral("background"));
  for (QCPItemPosition* corner : {rect->topLeft, rect->bottomRight}) {
    corner->setTypeX(QCPItemPosition::ptPlotCoords);
    corner->setTypeY(QCPItemPosition::ptAxisRectRatio);
  }
  rect->topLeft->setCoords(content_.highlight->low, 0);
  rect->bottomRight->setCoords(content_.highlight->high, 1);
  QColor fill = theme_.accent;
  fill.setAlphaF(0.22F);
  rect->setBrush(fill);
  rect->setPen(Qt::NoPen);
  rect->setSelectable(false);
  items_.push_back(rect);
}

void PlotRenderer::drawGuide(const PlotGuide& guide) {
  const QColor color = onGround(theme_, guide.color.isValid() ? guide.color : theme_.accent);
  auto* line = new QCPItemStraightLine(&plot_);
  line->setLayer(QStringLiteral("grid"));
  line->point1->setCoords(guide.x, 0);
  line->point2->setCoords(guide.x, 1);
  line->setPen(QPen(color, lineWidth(theme_), lineStyle(guide.variant + 1)));
  line->setSelectable(false);
  items_.push_back(line);
  if (guide.label.isEmpty()) return;
  auto* label = new QCPItemText(&plot_);
  label->position->setTypeX(QCPItemPosition::ptPlotCoords);
  label->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
  label->position->setCoords(guide.x, 0.0);
  label->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
  label->setText(guide.label);
  label->setFont(theme_.font);
  label->setColor(color);
  label->setPadding(QMargins(4, 1, 2, 0));
  label->setSelectable(false);
  items_.push_back(label);
}

void PlotRenderer::drawSeries(const PlotSeries& series) {
  SeriesParts parts = paintSeries(plot_, series, theme_);
  if (!series.legend.isEmpty()) legend_.add(series.id, parts.plottables.front());
  items_.insert(items_.end(), parts.labels.begin(), parts.labels.end());
  drawn_.emplace_back(series.id, std::move(parts));
}

}  // namespace adamerge::ui
