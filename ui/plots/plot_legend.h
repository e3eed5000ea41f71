// SPDX-License-Identifier: GPL-3.0-or-later
// The legend: a row above the plot that wraps, so that it never covers data.
#pragma once

#include <QSet>
#include <QString>
#include <vector>

#include "plots/plot_theme.h"

class QCPAbstractLegendItem;
class QCPAbstractPlottable;
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

}  // namespace adamerge::ui
