// SPDX-License-Identifier: GPL-3.0-or-later
// The colour of a method, the same in lists, legends, plots and figures on screen.
#pragma once

#include <QColor>
#include <string_view>

namespace adamerge::ui {

/// Okabe and Ito's colours in the order of the registry; grey for "none" and unknown methods.
QColor methodColor(std::string_view method);

/// `color`, made darker or lighter until it stands out from `background` (3:1 is WCAG's contrast
/// for graphics).
QColor legibleOn(const QColor& background, const QColor& color, double contrast = 3);

/// WCAG 2's contrast ratio, 1...21.
double contrastRatio(const QColor& a, const QColor& b);

/// Place in the registry without "none", which comes first; -1: no method that merges.
int methodPlace(std::string_view method);

}  // namespace adamerge::ui
