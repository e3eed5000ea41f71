// SPDX-License-Identifier: GPL-3.0-or-later
// Values under the pointer: a ring on the nearest point and a small read-out beside it. The same
// is reached with the arrow keys.
#pragma once

#include <QPointF>
#include <QSet>
#include <QString>
#include <optional>

#include "plots/plot_content.h"

class QCPItemTracer;
class QCustomPlot;
class QLabel;

namespace adamerge::ui {

/// A point of a PlotContent.
struct PlotHit {
  int series = 0;
  int point = 0;

  bool operator==(const PlotHit&) const = default;
};

class PlotHover {
 public:
  explicit PlotHover(QCustomPlot& plot);

  /// New data. What was pointed at is let go where it is no longer there.
  void setContent(const PlotContent& content, const PlotTheme& theme, const QSet<QString>& hidden);

  /// The point nearest to a place in the plot, at most `reach` pixels away; by column, sideways.
  std::optional<PlotHit> nearest(const QPointF& pixel, double reach) const;
  /// The nearest one of a single pane.
  std::optional<PlotHit> nearestOf(int source, const QPointF& pixel, double reach) const;
  /// Straight distance in pixels.
  double distance(const PlotHit& hit, const QPointF& pixel) const;

  void show(const PlotHit& hit);
  void hide();
  std::optional<PlotHit> current() const { return current_; }
  /// The neighbouring point in x, or the same x on the neighbouring series.
  void step(int points, int series);

  /// The point with that key of a pane, where it is shown.
  std::optional<PlotHit> find(int source, int key) const;
  int sourceOf(const PlotHit& hit) const {
    return content_.series[static_cast<std::size_t>(hit.series)].source;
  }
  const PlotPoint& at(const PlotHit& hit) const;
  /// What the read-out says; empty while nothing is pointed at.
  QString text() const;

 private:
  bool usable(const PlotSeries& series) const;
  bool exists(const PlotHit& hit) const;
  QPointF pixelOf(const PlotHit& hit) const;
  std::optional<PlotHit> search(std::optional<int> source, const QPointF& pixel,
                                double reach) const;
  QString rowFor(const PlotSeries& series, const PlotPoint& point) const;
  QString richText(const PlotHit& hit) const;
  void placeLabel(const QPointF& pixel);

  QCustomPlot& plot_;
  QCPItemTracer* ring_;
  QLabel* label_;
  PlotContent content_;
  PlotTheme theme_;
  QSet<QString> hidden_;
  std::optional<PlotHit> current_;
};

}  // namespace adamerge::ui
