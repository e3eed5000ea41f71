// SPDX-License-Identifier: GPL-3.0-or-later
// Draws a PlotContent into a QCustomPlot: the same on screen and in exported figures.
#pragma once

#include <QSet>
#include <QString>
#include <utility>
#include <vector>

#include "plots/plot_content.h"
#include "plots/plot_legend.h"
#include "plots/plot_theme.h"
#include "plots/series_painter.h"

class QCPAbstractItem;
class QCPAxis;
class QCustomPlot;

namespace adamerge::ui {

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
