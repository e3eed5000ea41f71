// SPDX-License-Identifier: GPL-3.0-or-later
#include "state/sweep.h"

#include <algorithm>
#include <cmath>

namespace adamerge::ui {

std::optional<int> valueNearest(const Sweep& sweep, double target) {
  const auto distance = [&](const SweepPoint& point) {
    return std::abs(point.flops.paper - target);
  };
  const auto nearer = [&](const SweepPoint& a, const SweepPoint& b) {
    return distance(a) < distance(b);
  };
  if (sweep.complete && !sweep.points.empty()) {
    return std::min_element(sweep.points.begin(), sweep.points.end(), nearer)->value;
  }
  for (std::size_t i = 1; i < sweep.points.size(); ++i) {
    const SweepPoint& low = sweep.points[i - 1];
    const SweepPoint& high = sweep.points[i];
    if (high.value == low.value + 1 && low.flops.paper >= target && high.flops.paper <= target) {
      return nearer(high, low) ? high.value : low.value;
    }
  }
  return std::nullopt;
}

}  // namespace adamerge::ui
