// SPDX-License-Identifier: GPL-3.0-or-later
// Colours and font of a plot, from the window's palette or for paper.
#pragma once

#include <QColor>
#include <QFont>
#include <QPalette>

namespace adamerge::ui {

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
