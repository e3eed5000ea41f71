// SPDX-License-Identifier: GPL-3.0-or-later
// The legend: a row above the plot that wraps, so that it never covers data.
#pragma once

#include <QSet>
#include <QString>
#include <utility>
#include <vector>

#include "plots/plot_content.h"
#include "plots/series_painter.h"

class QCPAbstractItem;
class QCPAbstractLegendItem;
class QCPAbstractPlottable;
class QCPAxis;
class QCPPlottableLegendItem;
class QCustomPlot;

namespace adamerge::ui {

class PlotLegend {
 public:
  explicit PlotLegend(QCustomPlot& plot);

  void clear();
  void add(const QString& id, QCPAbstractPlottable* plottable);
  void applyTheme(const PlotTheme& theme);
  /// Struck through and pale.
  void setHidden(const QSet<QString>& hidden);
  /// As many columns as fit into `width`; long names are shortened.
  void arrange(int width);

  int count() const { return static_cast<int>(entries_.size()); }
  /// The series of an item; empty: none.
  QString seriesOf(const QCPAbstractLegendItem* item) const;
  /// For tests: where the item of a series is, in the plot's pixels.
  QRect rectOf(const QString& id) const;

 private:
  struct Entry {
    QString id;
    QString name;
    QCPPlottableLegendItem* item = nullptr;
  };
  int columnsFor(int width) const;

  QCustomPlot& plot_;
  PlotTheme theme_;
  std::vector<Entry> entries_;
};

// Draws a PlotContent into a QCustomPlot: the same on screen and in exported figures.

class PlotRenderer {
 public:
  /// `plot` must outlive the renderer and belongs to it from now on.
  explicit PlotRenderer(QCustomPlot& plot);

  /// Ranges stay; call fit() or setRanges().
  void draw(const PlotContent& content, const PlotTheme& theme, const QSet<QString>& hidden);
  void setHidden(const QSet<QString>& hidden);
  /// Ranges that show all series that are not hidden.
  void fit();
  PlotRange range(const QCPAxis* axis) const;
  void setRanges(const PlotRange& x, const PlotRange& y, const PlotRange& y2);

  PlotLegend& legend() { return legend_; }

 private:
  void applyTheme();
  /// Shortens labels of upright axes to the room they have.
  void elideLabels();
  void styleAxis(QCPAxis* axis, const PlotAxis& spec);
  void drawHighlight();
  void drawGuide(const PlotGuide& guide);
  void drawSeries(const PlotSeries& series);

  QCustomPlot& plot_;
  PlotLegend legend_;
  PlotContent content_;
  PlotTheme theme_;
  QSet<QString> hidden_;
  std::vector<std::pair<QString, SeriesParts>> drawn_;  ///< by the series' id
  std::vector<QCPAbstractItem*> items_;
};

}  // namespace adamerge::ui
