// SPDX-License-Identifier: GPL-3.0-or-later
// What a plot shows, as plain data, and how a method looks in every plot.
#pragma once

#include <QColor>
#include <QFont>
#include <QPalette>
#include <QPen>
#include <QSet>
#include <QString>
#include <optional>
#include <string_view>
#include <vector>

#include "look/theme.h"

namespace adamerge::ui {

// How a method looks in every plot: a colour-blind-safe colour and a marker of its own, so that no
// series is told apart by colour alone.

/// Outlines that differ even where they are a few pixels wide.
enum class Marker { kCircle, kSquare, kTriangle, kDiamond, kTriangleDown, kPlusCircle, kStar };

Marker methodMarker(std::string_view method);

/// Solid for the first of several series of one colour, then dashes and dots.
Qt::PenStyle lineStyle(int variant);

// What a plot shows, as plain data: each plot only says what, drawing, hovering and export are the
// same for all.

struct PlotRange {
  double low = 0;
  double high = 1;
};

/// The two that a join joins, where their own points or leaves are.
struct PlotBracket {
  double left_x = 0;
  double left_y = 0;
  double right_x = 0;
  double right_y = 0;
};

/// What lies between the ends of PlotPoint::interval, y being the median.
struct PlotBox {
  PlotRange quartiles;
  double mean = 0;
};

struct PlotPoint {
  double x = 0;
  double y = 0;
  std::optional<PlotRange> interval;   ///< error bar; the extent of a band; whiskers
  std::optional<PlotBracket> bracket;  ///< of kBrackets
  std::optional<PlotBox> box;          ///< of kBoxes
  bool hollow = false;
  int key = -1;   ///< what a click on it chooses: a block, a slider value
  QString title;  ///< read-out: where ("Block 6 of 12")
  QString text;   ///< read-out: what ("40 tokens left")
  QString label;  ///< drawn beside the point
};

enum class SeriesKind { kLine, kMarkedLine, kMarkers, kSteps, kBars, kBand, kBrackets, kBoxes };

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
  int source = -1;           ///< the pane it belongs to
  bool screen_only = false;  ///< a mark of what is worked with: not for paper
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
  bool logarithmic = false;  ///< of positive values alone
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

// Colours and font of a plot, from the window's palette or for paper.

struct PlotTheme {
  QColor background;  ///< what colours must stand out from
  bool transparent = false;
  QColor ink;
  QColor muted;  ///< secondary text, hidden series
  QColor rule;   ///< axes
  QColor grid;
  QColor band;    ///< areas behind data
  QColor accent;  ///< the chosen block
  QFont font;
};

/// `color` as it is drawn on the theme's ground: legible, more so on dark, where lines look
/// thinner.
QColor onGround(const PlotTheme& theme, const QColor& color);

/// Follows a widget: base and text of its palette.
PlotTheme screenTheme(const QPalette& palette, const QFont& font);
/// The colours and the font of the other figures.
PlotTheme paperTheme(bool dark, bool transparent, double font_pt);

}  // namespace adamerge::ui
