// SPDX-License-Identifier: GPL-3.0-or-later
// Arithmetic on lists of numbers, in double precision.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace adamerge {

/// Linear interpolation between the order statistics around (count - 1) * share. `sorted`: a
/// vector, not empty.
template <class Numbers>
double quantile(const Numbers& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(static_cast<double>(sorted[below]), static_cast<double>(sorted[above]),
                   place - static_cast<double>(below));
}

/// Of two vectors of one length; 0 where one of them is zero.
inline double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return aa > 0 && bb > 0 ? dot / std::sqrt(aa * bb) : 0;
}

}  // namespace adamerge
