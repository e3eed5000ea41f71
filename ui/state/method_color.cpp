// SPDX-License-Identifier: GPL-3.0-or-later
#include "state/method_color.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "adamerge/methods.h"

namespace adamerge::ui {
namespace {

double luminance(const QColor& color) {
  const auto linear = [](double channel) {
    return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) +
         0.0722 * linear(color.blueF());
}

}  // namespace

int methodPlace(std::string_view method) {
  const auto& all = methods();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const MethodInfo& info) { return info.id == method; });
  return found == all.end() ? -1 : static_cast<int>(found - all.begin()) - 1;
}

QColor methodColor(std::string_view method) {
  constexpr std::array<QRgb, 6> kOkabeIto{0x0072B2, 0xE69F00, 0x009E73,
                                          0xCC79A7, 0xD55E00, 0x56B4E9};
  const int place = methodPlace(method);
  if (place < 0) return QColor(0x80, 0x80, 0x80);
  return QColor(kOkabeIto[static_cast<std::size_t>(place) % kOkabeIto.size()]);
}

double contrastRatio(const QColor& a, const QColor& b) {
  const double of_a = luminance(a);
  const double of_b = luminance(b);
  return (std::max(of_a, of_b) + 0.05) / (std::min(of_a, of_b) + 0.05);
}

QColor legibleOn(const QColor& background, const QColor& color, double contrast) {
  constexpr float kStep = 0.02F;
  const float step = luminance(background) < 0.18 ? kStep : -kStep;
  float hue = 0;
  float saturation = 0;
  float lightness = 0;
  color.getHslF(&hue, &saturation, &lightness);
  QColor legible = color;
  while (contrastRatio(background, legible) < contrast && lightness > 0 && lightness < 1) {
    lightness = std::clamp(lightness + step, 0.0F, 1.0F);
    legible = QColor::fromHslF(hue, saturation, lightness);
  }
  return legible;
}

}  // namespace adamerge::ui
