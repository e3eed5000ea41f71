// SPDX-License-Identifier: GPL-3.0-or-later
// What a plot shows, as plain data: each plot only says what, drawing, hovering and export are the
// same for all.
#pragma once

#include <QColor>
#include <QSet>
#include <QString>
#include <optional>
#include <vector>

#include "plots/series_style.h"

namespace adamerge::ui {

struct PlotRange {
  double low = 0;
  double high = 1;
};

struct PlotPoint {
  double x = 0;
  double y = 0;
  std::optional<PlotRange> interval;  ///< error bar; the extent of a band
  bool hollow = false;
  int key = -1;   ///< what a click on it chooses: a block, a slider value
  QString title;  ///< read-out: where ("Block 6 of 12")
  QString text;   ///< read-out: what ("40 tokens left")
  QString label;  ///< drawn beside the point
};

enum class SeriesKind { kLine, kMarkedLine, kMarkers, kSteps, kBars, kBand };

struct PlotSeries {
  /// Stays the same while data change, so that what is hidden stays hidden. Series of the same id
  /// hide together.
  QString id;
  QString name;      ///< in full, for exported data and screen readers
  QString legend;    ///< empty: not in the legend
  QString quantity;  ///< what y is, for exported data
  SeriesKind kind = SeriesKind::kLine;
  QColor color;  ///< invalid: the theme's ink
  Marker marker = Marker::kCircle;
  int variant = 0;           ///< dashes and hatching of a further series of the same colour
  bool faint = false;        ///< a reference: thin, behind the others
  bool second_axis = false;  ///< y on the right
  double bar_width = 0.8;    ///< in x
  double bar_offset = 0;
  int source = -1;  ///< the pane it belongs to
  std::vector<PlotPoint> points;
};

/// A vertical line, such as the slider's place.
struct PlotGuide {
  double x = 0;
  QColor color;  ///< invalid: the theme's accent
  int variant = 0;
  QString label;
};

struct PlotAxis {
  QString label;
  std::optional<double> low;   ///< the axis begins here, whatever the data
  std::optional<double> high;  ///< and ends here
  bool whole_numbers = false;
};

struct PlotContent {
  PlotAxis x;
  PlotAxis y;
  PlotAxis y2;                     ///< without label: no axis on the right
  std::vector<PlotSeries> series;  ///< drawn in this order
  std::vector<PlotGuide> guides;
  std::optional<PlotRange> highlight;  ///< an upright band, such as the chosen block
  bool by_column = true;  ///< the read-out tells all series at one x; else the nearest point alone
  QString note;           ///< a sentence under the plot
  QString empty_text;     ///< what to do where there is nothing to show

  bool isEmpty() const;
};

/// A plot as it is seen: for export.
struct PlotSnapshot {
  PlotContent content;
  QSet<QString> hidden;  ///< ids
  PlotRange x;
  PlotRange y;
  PlotRange y2;
};

/// One row a point: series, quantity, x, y, low, high, note. Hidden series are left out.
QString plotTable(const PlotContent& content, const QSet<QString>& hidden, QChar separator);
/// For screen readers: what the series are and what they span.
QString describePlot(const PlotContent& content);

}  // namespace adamerge::ui
