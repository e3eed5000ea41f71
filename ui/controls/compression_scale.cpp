// SPDX-License-Identifier: GPL-3.0-or-later
#include "controls/compression_scale.h"

#include <algorithm>
#include <cmath>

#include "state/flops_text.h"

namespace adamerge::ui {
namespace {

constexpr int kFinePlaces = 1000;

}  // namespace

CompressionScale::CompressionScale(CompressionMode mode, int limit, double unmerged, double lowest)
    : mode_(mode), limit_(limit), unmerged_(unmerged), lowest_(std::min(lowest, unmerged)) {}

int CompressionScale::places() const {
  return mode_ == CompressionMode::kCount ? limit_ : kFinePlaces;
}

double CompressionScale::minimum() const {
  return mode_ == CompressionMode::kCount ? 0 : numberOfFlops(lowest_);
}

double CompressionScale::maximum() const {
  return mode_ == CompressionMode::kCount ? limit_ : numberOfFlops(unmerged_);
}

int CompressionScale::decimals() const {
  if (mode_ == CompressionMode::kCount) return 0;
  if (mode_ == CompressionMode::kPercent) return 1;
  return flopsDecimals(unmerged_);
}

double CompressionScale::step() const {
  if (mode_ != CompressionMode::kFlops) return 1;
  return std::pow(10.0, std::floor(std::log10(std::max(unmerged_, 1e-9))) - 1);
}

QString CompressionScale::suffix() const {
  if (mode_ == CompressionMode::kFlops) return QStringLiteral(" G");
  return mode_ == CompressionMode::kPercent ? QStringLiteral(" %") : QString();
}

int CompressionScale::placeOf(double number) const {
  if (mode_ == CompressionMode::kCount) {
    return std::clamp(static_cast<int>(std::lround(number)), 0, limit_);
  }
  if (maximum() <= minimum()) return 0;
  const double share = (maximum() - number) / (maximum() - minimum());
  return static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * kFinePlaces));
}

double CompressionScale::numberAt(int place) const {
  if (mode_ == CompressionMode::kCount) return place;
  return maximum() - (maximum() - minimum()) * place / kFinePlaces;
}

double CompressionScale::numberOfFlops(double flops) const {
  return mode_ == CompressionMode::kPercent ? 100 * flops / unmerged_ : flops;
}

double CompressionScale::flopsOfNumber(double number) const {
  return mode_ == CompressionMode::kPercent ? number / 100 * unmerged_ : number;
}

}  // namespace adamerge::ui
