// SPDX-License-Identifier: GPL-3.0-or-later
// How salience becomes a position on the colour bar, and back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adamerge/figures.h"

namespace adamerge {

class ScaledSalience {
 public:
  ScaledSalience(std::vector<float> salience, SalienceScale scale,
                 const std::optional<ValueRange>& held = {});

  /// Per patch, 0...1.
  const std::vector<float>& positions() const { return positions_; }
  bool constant() const { return !(highest_ > lowest_); }
  /// What is drawn at the ends of the colour bar.
  ValueRange range() const { return {lowest_, highest_}; }
  /// The salience drawn at position t of the colour bar.
  double valueAt(double t) const;
  /// The same as a label: "0.12", at the ends of a clipped scale "≤0.03" and "≥0.8".
  std::string labelAt(double t) const;
  /// scaleTicks().
  std::vector<ScaleTick> ticks(int count) const;

 private:
  double positionOf(double value) const;
  std::vector<ScaleTick> decades() const;

  SalienceScale scale_;
  bool clipped_;
  std::vector<float> sorted_;
  std::vector<float> positions_;
  double lowest_ = 0;
  double highest_ = 0;
};

/// Two significant digits, without an exponent where that stays short.
std::string shortNumber(double value);

}  // namespace adamerge
