// SPDX-License-Identifier: GPL-3.0-or-later
// One sweep while it is computed: which values are still to come, coarse to fine.
#pragma once

#include <optional>
#include <vector>

#include "state/inspection.h"
#include "state/sweep.h"

namespace adamerge::ui {

/// 0, `limit`, then the values between, each halving the largest gaps that are left.
std::vector<int> coarseToFine(int limit);

class Curve {
 public:
  /// `choice` with complete settings and a compression setting.
  Curve(PicturePtr picture, const MethodChoice& choice, const VitConfig& vit);

  const PicturePtr& picture() const { return picture_; }
  bool covers(const Picture& picture, const MethodChoice& choice) const;

  /// The choice to run next; nullopt: all values are known, or the engine failed on one.
  std::optional<MethodChoice> next() const;
  std::size_t computed() const { return next_; }
  void add(const SweepPoint& point);
  void giveUp() { failed_ = true; }
  /// What is known by now.
  SweepPtr sweep() const;

 private:
  PicturePtr picture_;
  Sweep sweep_;
  std::vector<int> order_;
  std::size_t next_ = 0;
  bool failed_ = false;
  mutable SweepPtr shared_;  ///< a copy of sweep_; nullptr: out of date
};

}  // namespace adamerge::ui
