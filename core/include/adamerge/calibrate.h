// SPDX-License-Identifier: GPL-3.0-or-later
// Layer statistics (mu, sigma of the redundancy) over a calibration set.
#pragma once

#include <functional>
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

}  // namespace adamerge
