// SPDX-License-Identifier: GPL-3.0-or-later
// The studio's look, light and dark, on top of Qt's Fusion style.
#pragma once

#include <QApplication>
#include <QFont>
#include <string>

#include "controls/icons.h"
#include "controls/palette.h"

class QWidget;

namespace adamerge::ui {

enum class Theme { kSystem, kLight, kDark };

/// Style, palette, style sheet and icon of the whole program; may be called again at any time.
/// kSystem is as dark as the desktop's own palette, and stays so when that changes.
void applyTheme(QApplication& application, Theme theme);

/// Of the theme in force. Widgets hear of a change by QEvent::PaletteChange.
bool isDark();
QColor toneColor(Tone tone);
QColor methodColor(const std::string& id);

/// A disc in the method's colour, for lists and legends. Not updated when the theme changes.
QIcon methodSwatch(const std::string& id);

/// Sizes relative to the desktop's own font.
QFont smallFont();
QFont headingFont();

/// Text in the palette's second colour, small; for explanations and captions.
void makeCaption(QWidget& label);

}  // namespace adamerge::ui
