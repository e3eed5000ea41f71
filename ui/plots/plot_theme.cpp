// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_theme.h"

#include "state/method_color.h"

namespace adamerge::ui {
namespace {

/// `share` of `ink` on `ground`.
QColor mix(const QColor& ground, const QColor& ink, double share) {
  const auto between = [share](double from, double to) {
    return static_cast<float>(from + (to - from) * share);
  };
  return QColor::fromRgbF(between(ground.redF(), ink.redF()),
                          between(ground.greenF(), ink.greenF()),
                          between(ground.blueF(), ink.blueF()));
}

PlotTheme makeTheme(const QColor& background, const QColor& ink, const QColor& accent) {
  PlotTheme theme;
  theme.background = background;
  theme.ink = ink;
  theme.muted = mix(background, ink, 0.68);
  theme.rule = mix(background, ink, 0.5);
  theme.grid = mix(background, ink, 0.1);
  theme.band = mix(background, ink, 0.11);
  theme.accent = accent;
  return theme;
}

}  // namespace

QColor onGround(const PlotTheme& theme, const QColor& color) {
  const bool dark = theme.background.lightness() < 128;
  return legibleOn(theme.background, color, dark ? 4.5 : 3);
}

PlotTheme screenTheme(const QPalette& palette, const QFont& font) {
  PlotTheme theme = makeTheme(palette.color(QPalette::Base), palette.color(QPalette::Text),
                              palette.color(QPalette::Highlight));
  theme.font = font;
  return theme;
}

PlotTheme paperTheme(bool dark, bool transparent, double font_pt) {
  PlotTheme theme = dark ? makeTheme(QColor(0x15171B), QColor(0xECEFF4), QColor(0x56B4E9))
                         : makeTheme(QColor(0xFFFFFF), QColor(0x1A1A1A), QColor(0x0072B2));
  theme.transparent = transparent;
  theme.font = QFont(QStringLiteral("DejaVu Sans"));
  theme.font.setPointSizeF(font_pt);
  theme.font.setHintingPreference(QFont::PreferNoHinting);
  return theme;
}

}  // namespace adamerge::ui
