// SPDX-License-Identifier: GPL-3.0-or-later
// How a method looks in every plot: a colour-blind-safe colour and a marker of its own, so that no
// series is told apart by colour alone.
#pragma once

#include <QColor>
#include <QPen>
#include <string_view>

#include "state/method_color.h"

namespace adamerge::ui {

/// Outlines that differ even where they are a few pixels wide.
enum class Marker { kCircle, kSquare, kTriangle, kDiamond, kTriangleDown, kPlusCircle, kStar };

Marker methodMarker(std::string_view method);

/// Solid for the first of several series of one colour, then dashes and dots.
Qt::PenStyle lineStyle(int variant);

}  // namespace adamerge::ui
