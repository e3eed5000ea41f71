// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/salience_scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace adamerge {
namespace {

constexpr double kLowPercentile = 0.02;
constexpr double kHighPercentile = 0.98;
/// Salience spreads over about three decades.
constexpr double kLogarithmicGain = 999;
constexpr double kConstantPosition = 0.5;

/// Linear interpolation between the two nearest order statistics.
double quantile(const std::vector<float>& sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(static_cast<double>(sorted[below]), static_cast<double>(sorted[above]),
                   position - static_cast<double>(below));
}

double meanRank(const std::vector<float>& sorted, float value) {
  const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
  return static_cast<double>((first - sorted.begin()) + (last - sorted.begin()) - 1) / 2;
}

/// Salience is finite by contract; a figure of anything else still has to be drawn.
void makeFinite(std::vector<float>& values) {
  float lowest = 0;
  bool found = false;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    lowest = found ? std::min(lowest, value) : value;
    found = true;
  }
  std::replace_if(
      values.begin(), values.end(), [](float value) { return !std::isfinite(value); }, lowest);
}

}  // namespace

ScaledSalience::ScaledSalience(std::vector<float> salience, SalienceScale scale)
    : scale_(scale), positions_(salience.size(), static_cast<float>(kConstantPosition)) {
  if (salience.empty()) return;
  makeFinite(salience);
  sorted_ = salience;
  std::sort(sorted_.begin(), sorted_.end());
  lowest_ = sorted_.front();
  highest_ = sorted_.back();
  if (constant()) return;
  if (scale == SalienceScale::kPercentile) {
    const double low = quantile(sorted_, kLowPercentile);
    const double high = quantile(sorted_, kHighPercentile);
    // Nearly all values equal: clipping would leave nothing to see.
    if (high > low) {
      lowest_ = low;
      highest_ = high;
    }
  }
  for (std::size_t i = 0; i < salience.size(); ++i) {
    double t = std::clamp((salience[i] - lowest_) / (highest_ - lowest_), 0.0, 1.0);
    if (scale == SalienceScale::kLogarithmic) {
      t = std::log1p(kLogarithmicGain * t) / std::log1p(kLogarithmicGain);
    } else if (scale == SalienceScale::kRank) {
      t = meanRank(sorted_, salience[i]) / static_cast<double>(salience.size() - 1);
    }
    positions_[i] = static_cast<float>(t);
  }
}

double ScaledSalience::valueAt(double t) const {
  if (constant()) return lowest_;
  switch (scale_) {
    case SalienceScale::kRank:
      return quantile(sorted_, t);
    case SalienceScale::kLogarithmic:
      return std::lerp(lowest_, highest_,
                       std::expm1(t * std::log1p(kLogarithmicGain)) / kLogarithmicGain);
    case SalienceScale::kLinear:
    case SalienceScale::kPercentile:
      break;
  }
  return std::lerp(lowest_, highest_, t);
}

std::string ScaledSalience::labelAt(double t) const {
  double value = valueAt(t);
  // Beside the scale's end nobody tells 1e-33 from 0. Ranks have no such end.
  constexpr double kNegligible = 1e-5;
  const double end = std::max(std::abs(lowest_), std::abs(highest_));
  if (scale_ != SalienceScale::kRank && std::abs(value) < kNegligible * end) value = 0;
  std::string label = shortNumber(value);
  if (scale_ == SalienceScale::kPercentile && !constant()) {
    if (t <= 0 && sorted_.front() < lowest_) label.insert(0, "≤");
    if (t >= 1 && sorted_.back() > highest_) label.insert(0, "≥");
  }
  return label;
}

std::string scaleName(SalienceScale scale) {
  switch (scale) {
    case SalienceScale::kLinear:
      return "linear";
    case SalienceScale::kRank:
      return "rank";
    case SalienceScale::kLogarithmic:
      return "logarithmic";
    case SalienceScale::kPercentile:
      break;
  }
  return "percentile";
}

std::string shortNumber(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size >= 100 && size < 1e5) return fmt::format("{:.0f}", value);
  return fmt::format("{:.2g}", value);
}

std::vector<float> scaleSalience(const std::vector<float>& salience, SalienceScale scale) {
  return ScaledSalience(salience, scale).positions();
}

std::vector<ScaleTick> scaleTicks(const std::vector<float>& salience, SalienceScale scale,
                                  int count) {
  const ScaledSalience scaled(salience, scale);
  std::vector<ScaleTick> ticks;
  for (int i = 0; i < count; ++i) {
    const double position = static_cast<double>(i) / (count - 1);
    ticks.push_back({position, scaled.labelAt(position)});
  }
  return ticks;
}

}  // namespace adamerge
