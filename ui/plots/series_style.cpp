// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/series_style.h"

#include <array>

namespace adamerge::ui {

Marker methodMarker(std::string_view method) {
  constexpr std::array<Marker, 6> kMarkers{Marker::kCircle,   Marker::kSquare,
                                           Marker::kTriangle, Marker::kTriangleDown,
                                           Marker::kDiamond,  Marker::kPlusCircle};
  const int place = methodPlace(method);
  return place < 0 ? Marker::kStar : kMarkers[static_cast<std::size_t>(place) % kMarkers.size()];
}

Qt::PenStyle lineStyle(int variant) {
  constexpr std::array<Qt::PenStyle, 4> kStyles{Qt::SolidLine, Qt::DashLine, Qt::DotLine,
                                                Qt::DashDotLine};
  return kStyles[static_cast<std::size_t>(variant) % kStyles.size()];
}

}  // namespace adamerge::ui
