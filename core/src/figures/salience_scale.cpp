// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/salience_scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <opencv2/imgproc.hpp>

#include "adamerge/figures.h"
#include "support/numbers.h"

namespace adamerge {
namespace {

constexpr double kLowPercentile = 0.02;
constexpr double kHighPercentile = 0.98;
/// Salience spreads over about three decades.
constexpr double kLogarithmicGain = 999;
constexpr double kConstantPosition = 0.5;

double meanRank(const std::vector<float>& sorted, float value) {
  const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
  return static_cast<double>((first - sorted.begin()) + (last - sorted.begin()) - 1) / 2;
}

/// A patch without a value, whose token was dropped, has the colour of the lowest; it is hatched.
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

std::optional<LensKind> lensOf(OverlayKind content) {
  switch (content) {
    case OverlayKind::kAttention:
      return LensKind::kAttention;
    case OverlayKind::kRollout:
      return LensKind::kRollout;
    case OverlayKind::kComponents:
      return LensKind::kComponents;
    case OverlayKind::kSimilarity:
      return LensKind::kSimilarity;
    case OverlayKind::kNorm:
      return LensKind::kNorm;
    case OverlayKind::kChange:
      return LensKind::kChange;
    case OverlayKind::kClasses:
      return LensKind::kClasses;
    case OverlayKind::kNone:
    case OverlayKind::kSalience:
    case OverlayKind::kGroups:
    case OverlayKind::kSurvivors:
    case OverlayKind::kDifference:
      break;
  }
  return std::nullopt;
}

bool isHeatMap(OverlayKind content) {
  return content == OverlayKind::kSalience ||
         (lensOf(content) && content != OverlayKind::kComponents &&
          content != OverlayKind::kClasses);
}

std::optional<ValueRange> OverlayStyle::heldRange(OverlayKind content) const {
  const auto found = held.find(content);
  if (scale == SalienceScale::kRank || found == held.end()) return std::nullopt;
  return found->second;
}

ScaledSalience::ScaledSalience(std::vector<float> salience, SalienceScale scale,
                               const std::optional<ValueRange>& held)
    : scale_(scale),
      clipped_(held || scale == SalienceScale::kPercentile),
      positions_(salience.size(), static_cast<float>(kConstantPosition)) {
  if (salience.empty()) return;
  std::copy_if(salience.begin(), salience.end(), std::back_inserter(sorted_),
               [](float value) { return std::isfinite(value); });
  makeFinite(salience);
  if (sorted_.empty()) sorted_ = salience;
  std::sort(sorted_.begin(), sorted_.end());
  lowest_ = sorted_.front();
  highest_ = sorted_.back();
  if (held) {
    lowest_ = held->lowest;
    highest_ = held->highest;
  }
  if (constant()) return;
  if (scale == SalienceScale::kPercentile && !held) {
    const double low = quantile(sorted_, kLowPercentile);
    const double high = quantile(sorted_, kHighPercentile);
    // Nearly all values equal: clipping would leave nothing to see.
    if (high > low) {
      lowest_ = low;
      highest_ = high;
    }
  }
  for (std::size_t i = 0; i < salience.size(); ++i) {
    const double t = scale == SalienceScale::kRank
                         ? meanRank(sorted_, salience[i]) / static_cast<double>(sorted_.size() - 1)
                         : positionOf(salience[i]);
    positions_[i] = static_cast<float>(t);
  }
}

/// On scales that go by value.
double ScaledSalience::positionOf(double value) const {
  const double t = std::clamp((value - lowest_) / (highest_ - lowest_), 0.0, 1.0);
  if (scale_ != SalienceScale::kLogarithmic) return t;
  return std::log1p(kLogarithmicGain * t) / std::log1p(kLogarithmicGain);
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
  if (clipped_ && !constant()) {
    if (t <= 0 && sorted_.front() < lowest_) label.insert(0, "≤");
    if (t >= 1 && sorted_.back() > highest_) label.insert(0, "≥");
  }
  return label;
}

/// Powers of ten that stand apart from each other and from the ends; fewer than two: none.
std::vector<ScaleTick> ScaledSalience::decades() const {
  constexpr double kApart = 0.08;
  std::vector<ScaleTick> ticks;
  if (!(highest_ > 0)) return ticks;
  double above = 1;
  for (int power = static_cast<int>(std::floor(std::log10(highest_)));; --power) {
    const double value = std::pow(10.0, power);
    if (value <= lowest_) break;
    const double place = positionOf(value);
    if (place < kApart) break;
    if (above - place < kApart) continue;
    ticks.insert(ticks.begin(), {place, shortNumber(value)});
    above = place;
  }
  if (ticks.size() < 2) return {};
  ticks.insert(ticks.begin(), {0, labelAt(0)});
  ticks.push_back({1, labelAt(1)});
  return ticks;
}

std::vector<ScaleTick> ScaledSalience::ticks(int count) const {
  if (scale_ == SalienceScale::kRank) {
    return {{0, "least " + labelAt(0)}, {0.5, "median " + labelAt(0.5)}, {1, "most " + labelAt(1)}};
  }
  if (scale_ == SalienceScale::kLogarithmic && !constant()) {
    if (std::vector<ScaleTick> powers = decades(); !powers.empty()) return powers;
  }
  std::vector<ScaleTick> even;
  for (int i = 0; i < count; ++i) {
    const double position = static_cast<double>(i) / (count - 1);
    even.push_back({position, labelAt(position)});
  }
  return even;
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

std::vector<float> scaleSalience(const std::vector<float>& salience, SalienceScale scale,
                                 const std::optional<ValueRange>& held) {
  return ScaledSalience(salience, scale, held).positions();
}

ValueRange rangeOf(const std::vector<float>& salience, SalienceScale scale) {
  return ScaledSalience(salience, scale).range();
}

std::vector<ScaleTick> scaleTicks(const std::vector<float>& salience, SalienceScale scale,
                                  int count, const std::optional<ValueRange>& held) {
  return ScaledSalience(salience, scale, held).ticks(count);
}

std::array<std::uint8_t, 3> colormapColor(Colormap map, double t) {
  const double inside = std::isnan(t) ? 0.0 : std::clamp(t, 0.0, 1.0);
  return colorTable(map)[static_cast<std::size_t>(std::lround(inside * (kEntries - 1)))];
}

}  // namespace adamerge
