// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <opencv2/imgproc.hpp>

#include "adamerge/figures.h"

namespace adamerge {
namespace {

constexpr std::size_t kEntries = 256;
using ColorTable = std::array<std::array<std::uint8_t, 3>, kEntries>;

cv::Mat ramp() {
  cv::Mat values(1, static_cast<int>(kEntries), CV_8UC1);
  for (std::size_t i = 0; i < kEntries; ++i) {
    values.at<std::uint8_t>(0, static_cast<int>(i)) = static_cast<std::uint8_t>(i);
  }
  return values;
}

ColorTable tableOf(int opencv_map) {
  cv::Mat colors;
  cv::applyColorMap(ramp(), colors, opencv_map);
  ColorTable table{};
  for (std::size_t i = 0; i < kEntries; ++i) {
    const auto& bgr = colors.at<cv::Vec3b>(0, static_cast<int>(i));
    table[i] = {bgr[2], bgr[1], bgr[0]};
  }
  return table;
}

ColorTable greyTable() {
  ColorTable table{};
  for (std::size_t i = 0; i < kEntries; ++i) table[i].fill(static_cast<std::uint8_t>(i));
  return table;
}

const ColorTable& colorTable(Colormap map) {
  static const ColorTable viridis = tableOf(cv::COLORMAP_VIRIDIS);
  static const ColorTable magma = tableOf(cv::COLORMAP_MAGMA);
  static const ColorTable turbo = tableOf(cv::COLORMAP_TURBO);
  static const ColorTable grey = greyTable();
  switch (map) {
    case Colormap::kMagma:
      return magma;
    case Colormap::kTurbo:
      return turbo;
    case Colormap::kGrey:
      return grey;
    case Colormap::kViridis:
      break;
  }
  return viridis;
}

}  // namespace

std::array<std::uint8_t, 3> colormapColor(Colormap map, double t) {
  const double inside = std::isnan(t) ? 0.0 : std::clamp(t, 0.0, 1.0);
  return colorTable(map)[static_cast<std::size_t>(std::lround(inside * (kEntries - 1)))];
}

}  // namespace adamerge
