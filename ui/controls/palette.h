// SPDX-License-Identifier: GPL-3.0-or-later
// The studio's colours: one set for light, one for dark, all chosen for contrast.
#pragma once

#include <QColor>
#include <QPalette>
#include <string>

#include "state/method_color.h"

namespace adamerge::ui {

/// What a colour says. Never the only sign: an icon or a word goes with it.
enum class Tone { kText, kMuted, kAccent, kGood, kWarning, kError };

/// Colours that a palette has no role for.
struct ThemeColors {
  QColor text;
  QColor muted;     ///< secondary text, still above 4.5:1
  QColor disabled;  ///< above 3:1
  QColor window;
  QColor base;    ///< where one types
  QColor raised;  ///< buttons
  QColor hover;
  QColor pressed;
  QColor chosen;  ///< behind what is switched on
  QColor border;
  QColor strong_border;  ///< of things without any other shape: check boxes, handles
  QColor track;          ///< of sliders, progress and scroll bars
  QColor accent;
  QColor on_accent;
  QColor tip;
  QColor on_tip;
  QColor good;
  QColor warning;
  QColor error;
};

const ThemeColors& themeColors(bool dark);

/// Every role and group set.
QPalette studioPalette(bool dark);

/// Whether text is lighter than what it is on.
bool isDark(const QPalette& palette);

QColor toneColor(Tone tone, bool dark);

/// Made to stand out from the window.
QColor methodColor(const std::string& id, bool dark);

}  // namespace adamerge::ui
