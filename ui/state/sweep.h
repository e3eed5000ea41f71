// SPDX-License-Identifier: GPL-3.0-or-later
// One picture over the whole range of the slider.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/methods.h"
#include "adamerge/result.h"

namespace adamerge::ui {

struct SweepPoint {
  int value = 0;  ///< of the compression setting
  Flops flops;
  int tokens = 0;              ///< left after the last block, prefix included
  double top_probability = 0;  ///< the merged model gives the unmerged model's top class
  bool top1_agrees = true;     ///< the merged model's top class is the unmerged model's
  double logit_cosine = 1;     ///< to the unmerged model's logits
};

struct Sweep {
  MethodChoice choice;             ///< its compression setting is the one varied
  std::vector<SweepPoint> points;  ///< ascending in value; those computed so far
  int limit = 0;                   ///< values run from 0 to limit
  bool complete = false;
};
using SweepPtr = std::shared_ptr<const Sweep>;

/// The value whose `paper` FLOPs come nearest to `target` (G); nullopt while the points do not
/// tell: until the sweep is complete, two neighbouring values must enclose the target.
std::optional<int> valueNearest(const Sweep& sweep, double target);

}  // namespace adamerge::ui
