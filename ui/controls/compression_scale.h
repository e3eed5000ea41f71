// SPDX-License-Identifier: GPL-3.0-or-later
// How places on the compression slider and numbers beside it stand for each other, in each mode.
// To the right more merges, whatever the unit.
#pragma once

#include <QString>

#include "state/workbench.h"

namespace adamerge::ui {

class CompressionScale {
 public:
  CompressionScale() = default;
  /// `limit`: largest count. `unmerged`, `lowest`: FLOPs in G without merging and at the limit.
  CompressionScale(CompressionMode mode, int limit, double unmerged, double lowest);

  CompressionMode mode() const { return mode_; }
  int places() const;      ///< the slider runs from 0 to this
  double minimum() const;  ///< of the number
  double maximum() const;
  int decimals() const;
  double step() const;
  QString suffix() const;

  int placeOf(double number) const;
  double numberAt(int place) const;
  double numberOfFlops(double flops) const;  ///< not for kCount
  double flopsOfNumber(double number) const;

 private:
  CompressionMode mode_ = CompressionMode::kCount;
  int limit_ = 0;
  double unmerged_ = 1;
  double lowest_ = 0;
};

}  // namespace adamerge::ui
