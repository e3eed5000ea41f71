// SPDX-License-Identifier: GPL-3.0-or-later
#include "controls/palette.h"

namespace adamerge::ui {
namespace {

ThemeColors lightColors() {
  ThemeColors colors;
  colors.text = 0x1A1E23;
  colors.muted = 0x545B64;
  colors.disabled = 0x7F868E;
  colors.window = 0xF5F6F8;
  colors.base = 0xFFFFFF;
  colors.raised = 0xFFFFFF;
  colors.hover = 0xE9ECF0;
  colors.pressed = 0xDCE1E7;
  colors.chosen = 0xD3E6F3;
  colors.border = 0xC6CBD2;
  colors.strong_border = 0x858C95;
  colors.track = 0xD5D9DF;
  colors.accent = 0x0072B2;
  colors.on_accent = 0xFFFFFF;
  colors.tip = 0x23282E;
  colors.on_tip = 0xF3F5F7;
  colors.good = 0x00704F;
  colors.warning = 0x8A5200;
  colors.error = 0xAF3600;
  return colors;
}

ThemeColors darkColors() {
  ThemeColors colors;
  colors.text = 0xE6E9ED;
  colors.muted = 0xA5ACB5;
  colors.disabled = 0x7C848D;
  colors.window = 0x1F2227;
  colors.base = 0x16181C;
  colors.raised = 0x2B2F36;
  colors.hover = 0x333840;
  colors.pressed = 0x3D434C;
  colors.chosen = 0x22455C;
  colors.border = 0x41474F;
  colors.strong_border = 0x8A929C;
  colors.track = 0x41474F;
  colors.accent = 0x56B4E9;
  colors.on_accent = 0x0D1216;
  colors.tip = 0x3A4049;
  colors.on_tip = 0xF3F5F7;
  colors.good = 0x35C29A;
  colors.warning = 0xE69F00;
  colors.error = 0xFF8A5C;
  return colors;
}

}  // namespace

const ThemeColors& themeColors(bool dark) {
  static const ThemeColors light = lightColors();
  static const ThemeColors night = darkColors();
  return dark ? night : light;
}

QPalette studioPalette(bool dark) {
  const ThemeColors& colors = themeColors(dark);
  QPalette palette;
  const auto set = [&](QPalette::ColorRole role, const QColor& color) {
    palette.setColor(role, color);
  };
  set(QPalette::Window, colors.window);
  set(QPalette::WindowText, colors.text);
  set(QPalette::Base, colors.base);
  set(QPalette::AlternateBase, colors.window);
  set(QPalette::Text, colors.text);
  set(QPalette::PlaceholderText, colors.muted);
  set(QPalette::Button, colors.raised);
  set(QPalette::ButtonText, colors.text);
  set(QPalette::BrightText, colors.error);
  set(QPalette::ToolTipBase, colors.tip);
  set(QPalette::ToolTipText, colors.on_tip);
  set(QPalette::Highlight, colors.accent);
  set(QPalette::HighlightedText, colors.on_accent);
  set(QPalette::Link, colors.accent);
  set(QPalette::LinkVisited, colors.muted);
  set(QPalette::Light, dark ? colors.pressed : colors.base);
  set(QPalette::Midlight, colors.hover);
  set(QPalette::Mid, colors.border);
  set(QPalette::Dark, colors.strong_border);
  set(QPalette::Shadow, dark ? QColor(0x0A0B0D) : QColor(0x5A6068));
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText,
                          QPalette::PlaceholderText, QPalette::Link}) {
    palette.setColor(QPalette::Disabled, role, colors.disabled);
  }
  palette.setColor(QPalette::Disabled, QPalette::Base, colors.window);
  palette.setColor(QPalette::Disabled, QPalette::Button, colors.window);
  palette.setColor(QPalette::Disabled, QPalette::Highlight, colors.track);
  palette.setColor(QPalette::Disabled, QPalette::HighlightedText, colors.text);
  return palette;
}

bool isDark(const QPalette& palette) {
  return palette.color(QPalette::WindowText).lightness() >
         palette.color(QPalette::Window).lightness();
}

QColor toneColor(Tone tone, bool dark) {
  const ThemeColors& colors = themeColors(dark);
  switch (tone) {
    case Tone::kText:
      return colors.text;
    case Tone::kMuted:
      return colors.muted;
    case Tone::kAccent:
      return colors.accent;
    case Tone::kGood:
      return colors.good;
    case Tone::kWarning:
      return colors.warning;
    case Tone::kError:
      return colors.error;
  }
  return colors.text;
}

QColor methodColor(const std::string& id, bool dark) {
  return legibleOn(themeColors(dark).window, methodColor(id));
}

}  // namespace adamerge::ui
