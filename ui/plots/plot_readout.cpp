// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_readout.h"

#include <qcustomplot.h>

#include <QLabel>
#include <QTextDocumentFragment>
#include <algorithm>
#include <cmath>
#include <limits>

namespace adamerge::ui {
namespace {

constexpr int kGap = 12;
/// Points of other series belong to the same column where x differs by rounding only.
constexpr double kSameX = 1e-9;

}  // namespace

PlotHover::PlotHover(QCustomPlot& plot)
    : plot_(plot), ring_(new QCPItemTracer(&plot)), label_(new QLabel(&plot)) {
  ring_->setLayer(QStringLiteral("overlay"));
  ring_->setStyle(QCPItemTracer::tsCircle);
  ring_->setVisible(false);
  ring_->setSelectable(false);
  label_->setObjectName(QStringLiteral("readout"));
  label_->setAttribute(Qt::WA_TransparentForMouseEvents);
  label_->setTextFormat(Qt::RichText);
  label_->setAutoFillBackground(true);
  label_->setBackgroundRole(QPalette::ToolTipBase);
  label_->setForegroundRole(QPalette::ToolTipText);
  label_->setFrameStyle(QFrame::Box | QFrame::Plain);
  label_->setMargin(4);
  label_->hide();
}

void PlotHover::setContent(const PlotContent& content, const PlotTheme& theme,
                           const QSet<QString>& hidden) {
  content_ = content;
  theme_ = theme;
  hidden_ = hidden;
  ring_->setPen(QPen(theme.ink, 1.6));
  ring_->setSize(1.9 * QFontMetricsF(theme.font).xHeight());
  if (!current_) return;
  if (exists(*current_)) {
    show(*current_);
  } else {
    hide();
  }
}

bool PlotHover::usable(const PlotSeries& series) const { return !hidden_.contains(series.id); }

bool PlotHover::exists(const PlotHit& hit) const {
  if (hit.series < 0 || hit.series >= static_cast<int>(content_.series.size())) return false;
  const PlotSeries& series = content_.series[static_cast<std::size_t>(hit.series)];
  return usable(series) && hit.point >= 0 && hit.point < static_cast<int>(series.points.size());
}

const PlotPoint& PlotHover::at(const PlotHit& hit) const {
  return content_.series[static_cast<std::size_t>(hit.series)]
      .points[static_cast<std::size_t>(hit.point)];
}

QPointF PlotHover::pixelOf(const PlotHit& hit) const {
  const PlotSeries& series = content_.series[static_cast<std::size_t>(hit.series)];
  const PlotPoint& point = at(hit);
  const QCPAxis* values = series.second_axis ? plot_.yAxis2 : plot_.yAxis;
  return {plot_.xAxis->coordToPixel(point.x), values->coordToPixel(point.y)};
}

double PlotHover::distance(const PlotHit& hit, const QPointF& pixel) const {
  const QPointF from = pixelOf(hit) - pixel;
  return std::hypot(from.x(), from.y());
}

std::optional<PlotHit> PlotHover::search(std::optional<int> source, const QPointF& pixel,
                                         double reach) const {
  std::optional<PlotHit> best;
  std::pair<double, double> least{std::numeric_limits<double>::infinity(), 0};
  for (std::size_t s = 0; s < content_.series.size(); ++s) {
    const PlotSeries& series = content_.series[s];
    if (!usable(series) || (source && series.source != *source)) continue;
    for (std::size_t p = 0; p < series.points.size(); ++p) {
      const PlotHit hit{static_cast<int>(s), static_cast<int>(p)};
      const QPointF from = pixelOf(hit) - pixel;
      const double straight = std::hypot(from.x(), from.y());
      const double away = content_.by_column ? std::round(std::abs(from.x())) : straight;
      if (away > reach || std::pair{away, straight} >= least) continue;
      least = {away, straight};
      best = hit;
    }
  }
  return best;
}

std::optional<PlotHit> PlotHover::nearest(const QPointF& pixel, double reach) const {
  return search(std::nullopt, pixel, reach);
}

std::optional<PlotHit> PlotHover::nearestOf(int source, const QPointF& pixel, double reach) const {
  return search(source, pixel, reach);
}

std::optional<PlotHit> PlotHover::find(int source, int key) const {
  for (std::size_t s = 0; s < content_.series.size(); ++s) {
    const PlotSeries& series = content_.series[s];
    if (!usable(series) || series.source != source) continue;
    const auto found = std::find_if(series.points.begin(), series.points.end(),
                                    [key](const PlotPoint& point) { return point.key == key; });
    if (found == series.points.end()) continue;
    return PlotHit{static_cast<int>(s), static_cast<int>(found - series.points.begin())};
  }
  return std::nullopt;
}

QString PlotHover::rowFor(const PlotSeries& series, const PlotPoint& point) const {
  const QColor color = series.color.isValid()
                           ? legibleOn(label_->palette().color(QPalette::ToolTipBase), series.color)
                           : label_->palette().color(QPalette::ToolTipText);
  return QStringLiteral("<br><span style=\"color:%1\">%2</span> %3")
      .arg(color.name(), point.hollow ? QStringLiteral("□") : QStringLiteral("■"),
           point.text.toHtmlEscaped().replace('\n', QStringLiteral("<br>")));
}

QString PlotHover::richText(const PlotHit& hit) const {
  const PlotPoint& chosen = at(hit);
  QString text = QStringLiteral("<b>%1</b>").arg(chosen.title.toHtmlEscaped());
  if (!content_.by_column) {
    return text + rowFor(content_.series[static_cast<std::size_t>(hit.series)], chosen);
  }
  for (const PlotSeries& series : content_.series) {
    if (!usable(series)) continue;
    for (const PlotPoint& point : series.points) {
      if (std::abs(point.x - chosen.x) <= kSameX && !point.text.isEmpty()) {
        text += rowFor(series, point);
      }
    }
  }
  return text;
}

QString PlotHover::text() const {
  return current_ ? QTextDocumentFragment::fromHtml(richText(*current_)).toPlainText() : QString();
}

void PlotHover::show(const PlotHit& hit) {
  current_ = hit;
  const PlotSeries& series = content_.series[static_cast<std::size_t>(hit.series)];
  const PlotPoint& point = at(hit);
  ring_->position->setAxes(plot_.xAxis, series.second_axis ? plot_.yAxis2 : plot_.yAxis);
  ring_->position->setCoords(point.x, point.y);
  ring_->setVisible(true);
  plot_.layer(QStringLiteral("overlay"))->replot();
  label_->setText(richText(hit));
  placeLabel(pixelOf(hit));
}

void PlotHover::placeLabel(const QPointF& pixel) {
  const QSize size = label_->sizeHint();
  double x = pixel.x() + kGap;
  if (x + size.width() > plot_.width()) x = pixel.x() - kGap - size.width();
  double y = pixel.y() - kGap - size.height();
  if (y < 0) y = pixel.y() + kGap;
  x = std::clamp(x, 0.0, std::max(0.0, static_cast<double>(plot_.width() - size.width())));
  y = std::clamp(y, 0.0, std::max(0.0, static_cast<double>(plot_.height() - size.height())));
  label_->setGeometry(QRect(QPointF(x, y).toPoint(), size));
  label_->show();
  label_->raise();
}

void PlotHover::hide() {
  if (!current_) return;
  current_.reset();
  label_->hide();
  ring_->setVisible(false);
  plot_.layer(QStringLiteral("overlay"))->replot();
}

void PlotHover::step(int points, int series) {
  std::vector<int> shown;
  for (std::size_t s = 0; s < content_.series.size(); ++s) {
    if (usable(content_.series[s]) && !content_.series[s].points.empty()) {
      shown.push_back(static_cast<int>(s));
    }
  }
  if (shown.empty()) return;
  if (!current_) {
    show({shown.front(), 0});
    return;
  }
  const auto place = std::find(shown.begin(), shown.end(), current_->series) - shown.begin();
  const auto count = static_cast<std::ptrdiff_t>(shown.size());
  const PlotSeries& next = content_.series[static_cast<std::size_t>(
      shown[static_cast<std::size_t>((place + series + count) % count)])];
  PlotHit hit{static_cast<int>(&next - content_.series.data()), current_->point};
  if (series != 0) {
    const double x = at(*current_).x;
    const auto nearest = std::min_element(next.points.begin(), next.points.end(),
                                          [x](const PlotPoint& a, const PlotPoint& b) {
                                            return std::abs(a.x - x) < std::abs(b.x - x);
                                          });
    hit.point = static_cast<int>(nearest - next.points.begin());
  }
  hit.point = std::clamp(hit.point + points, 0, static_cast<int>(next.points.size()) - 1);
  show(hit);
}

}  // namespace adamerge::ui
