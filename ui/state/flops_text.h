// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers of G as people read them, however small the model.
#pragma once

#include <QString>
#include <cmath>

namespace adamerge::ui {

/// So that a number of `g` G keeps three significant digits: 2 from 10 G on, else at least 3.
inline int flopsDecimals(double g) {
  if (g >= 10) return 2;
  return g >= 0.1 || !(g > 1e-9) ? 3 : 2 - static_cast<int>(std::floor(std::log10(g)));
}

/// Without the unit.
inline QString flopsNumber(double g) { return QString::number(g, 'f', flopsDecimals(g)); }

}  // namespace adamerge::ui
