// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adamerge/engine.h"
#include "engine/placed_model.h"
#include "merging/method.h"

namespace adamerge {

struct PreparedMethod::State {
  MethodChoice choice;  ///< with every setting in force
  std::unique_ptr<const MergeMethod> method;
  AdaptedNetwork adapted;  ///< to `method`
  TokenPosition position = TokenPosition::kCentroid;
  Unmerge unmerge = Unmerge::kCopy;
  bool rotated_keys = false;          ///< what is matched is taken after the rotation
  std::vector<std::string> warnings;  ///< that each image's result repeats
  /// Belongs to the engine that made it. Lives as long as anything of that engine's does, so that
  /// no other one is taken for it.
  std::shared_ptr<const int> engine;
};

}  // namespace adamerge
