// SPDX-License-Identifier: GPL-3.0-or-later
// How a method looks in every plot: a colour-blind-safe colour and a marker of its own, so that no
// series is told apart by colour alone.
#pragma once

#include <QColor>
#include <QPen>
#include <string_view>

namespace adamerge::ui {

/// Outlines that differ even where they are a few pixels wide.
enum class Marker { kCircle, kSquare, kTriangle, kDiamond, kTriangleDown, kStar };

/// Okabe and Ito's colours in the order of the registry; grey for "none" and unknown methods.
QColor methodColor(std::string_view method);
Marker methodMarker(std::string_view method);

/// `color`, made darker or lighter until it stands out from `background` (3:1, WCAG's contrast for
/// graphics).
QColor legibleOn(const QColor& background, const QColor& color);
/// WCAG's contrast ratio, 1...21.
double contrastRatio(const QColor& a, const QColor& b);

/// Solid for the first of several series of one colour, then dashes and dots.
Qt::PenStyle lineStyle(int variant);

}  // namespace adamerge::ui
