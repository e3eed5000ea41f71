// SPDX-License-Identifier: GPL-3.0-or-later
// FLOPs-matched settings: which r or r_max costs what is asked for.
#pragma once

#include <span>
#include <string>

#include "adamerge/engine.h"

namespace adamerge {

struct SchedulePoint {
  std::string key;  ///< "r" or "r_max"
  int value = 0;
  Flops flops;                           ///< mean over the images
  double unmerged = 0;                   ///< `paper`, G
  std::vector<double> tokens_per_block;  ///< mean N on entry, [depth]
  bool calibrated = true;
  std::size_t images = 1;  ///< measured; one where the count is the same for every image
};

/// The value of the method's compression setting whose mean `paper` FLOPs over `images` come
/// nearest to `target` (G). Found by bisection, since FLOPs fall as the value rises. Counts that
/// follow the layer statistics differ from image to image, so give several; others are measured on
/// the first. Throws Error: a method without such a setting, target not positive, no image;
/// Cancelled.
SchedulePoint matchFlops(const Engine& engine, std::span<const InputTensor> images,
                         const MethodChoice& choice, double target,
                         const ProgressCallback& progress = {}, const std::stop_token& stop = {});

}  // namespace adamerge
