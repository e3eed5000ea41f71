// SPDX-License-Identifier: GPL-3.0-or-later
// Colours of figures. The accents are Okabe and Ito's, told apart by colour-blind readers too.
#pragma once

namespace adamerge {

struct Color {
  double red = 0;
  double green = 0;
  double blue = 0;
  double alpha = 1;
};

constexpr Color rgb(unsigned hex, double alpha = 1) {
  return {static_cast<double>((hex >> 16U) & 0xFFU) / 255.0,
          static_cast<double>((hex >> 8U) & 0xFFU) / 255.0,
          static_cast<double>(hex & 0xFFU) / 255.0, alpha};
}

struct Theme {
  Color background;
  Color ink;
  Color muted;   ///< secondary text, still above 4.5:1 on the background
  Color rule;    ///< axes and frames
  Color grid;    ///< grid lines behind data
  Color band;    ///< an area behind data
  Color line;    ///< first accent
  Color bar;     ///< second accent
  Color point;   ///< third accent
  Color sample;  ///< stands for a piece of picture in a legend
};

inline constexpr Theme kLightTheme{rgb(0xFFFFFF), rgb(0x1A1A1A), rgb(0x5C6066), rgb(0x7A7F87),
                                   rgb(0xE3E5E8), rgb(0xCFE3F1), rgb(0x0072B2), rgb(0xE69F00),
                                   rgb(0xC24E00), rgb(0x8A9099)};
inline constexpr Theme kDarkTheme{rgb(0x15171B), rgb(0xECEFF4), rgb(0xA6ACB6), rgb(0x7D838D),
                                  rgb(0x31353C), rgb(0x24445A), rgb(0x56B4E9), rgb(0xE69F00),
                                  rgb(0xFF8A3D), rgb(0x8A9099)};

inline constexpr Color withAlpha(const Color& color, double alpha) {
  return {color.red, color.green, color.blue, alpha};
}

/// As strong as an overlay of that opacity.
inline constexpr Color faded(const Color& color, double opacity) {
  return withAlpha(color, color.alpha * opacity);
}

/// On pictures of any brightness: a white line within a dark one.
inline constexpr Color kOutline = rgb(0xFFFFFF);
inline constexpr Color kHalo = rgb(0x000000, 0.6);
inline constexpr Color kMark = rgb(0xFFB000);
inline constexpr Color kRingHalo = rgb(0x000000, 0.75);

}  // namespace adamerge
