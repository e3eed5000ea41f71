// SPDX-License-Identifier: GPL-3.0-or-later
// What is found out by running a model: layer statistics (mu, sigma of the redundancy) over a
// calibration set, and which r or r_max costs the FLOPs that are asked for.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "adamerge/engine.h"

namespace adamerge {

struct CalibrationOptions {
  std::vector<int> r_max;  ///< ascending, at least one
  int passes = 2;          ///< 1 uses z = 0 throughout; each further pass uses the one before
  MethodChoice choice{"adamerge", {}, nullptr, false};  ///< its r_max is ignored
  int batch = 8;                                        ///< images at once
  std::string source;                                   ///< for the record
  /// Hears what the engine warns of, each sentence once.
  std::function<void(const std::string&)> warn{};
};

/// Gives images number first ... first + count - 1; may leave out those it cannot read, the same
/// ones every time.
using BatchSource = std::function<std::vector<InputTensor>(std::size_t first, std::size_t count)>;

/// Two passes by default: pass 1 runs with z = 0, so every block merges floor(r_max / 2); pass 2
/// runs with pass 1's statistics; the last pass is returned (the paper found that a third
/// overshoots). Each image is asked for once per pass.
/// Throws Error (settings, no image), Cancelled.
Statistics calibrate(const Engine& engine, const BatchSource& images, std::size_t count,
                     const CalibrationOptions& options, const ProgressCallback& progress = {},
                     const std::stop_token& stop = {});

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
