// SPDX-License-Identifier: GPL-3.0-or-later
// The studio's look: colours for light and dark, each method's own, and Qt's Fusion style dressed
// in them.
#pragma once

#include <QApplication>
#include <QColor>
#include <QFont>
#include <QIcon>
#include <QPalette>
#include <string>
#include <string_view>

class QWidget;

namespace adamerge::ui {

// The colour of a method, the same in lists, legends, plots and figures.

/// On paper, and before it is made legible: Okabe and Ito's colours in the order of the registry;
/// grey for "none" and unknown methods.
QColor paperColor(std::string_view method);

/// `color`, made darker or lighter until it stands out from `background` (3:1 is WCAG's contrast
/// for graphics).
QColor legibleOn(const QColor& background, const QColor& color, double contrast = 3);

/// WCAG 2's contrast ratio, 1...21.
double contrastRatio(const QColor& a, const QColor& b);

/// Place in the registry without "none", which comes first; -1: no method that merges.
int methodPlace(std::string_view method);

// Makes icons and style sheet of this static library reachable.

/// May be called often.
void loadResources();

// The studio's colours: one set for light, one for dark, all chosen for contrast.

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

// The studio's look, light and dark, on top of Qt's Fusion style.

enum class Theme { kSystem, kLight, kDark };

/// `share` of `color` laid over `ground`.
QColor blend(const QColor& ground, const QColor& color, double share);

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
