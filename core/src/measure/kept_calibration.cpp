// SPDX-License-Identifier: GPL-3.0-or-later
// A calibration that goes on where it was interrupted.
#include "adamerge/calibrate.h"
#include "adamerge/dataset.h"
#include "adamerge/error.h"
#include "measure/state_file.h"

namespace adamerge {

Statistics calibrate(const Engine& engine, ImageSource& images, CalibrationOptions options,
                     const std::filesystem::path& kept, const ProgressCallback& progress,
                     const std::stop_token& stop) {
  const MeasurementKey key(engine, images.images(), options);
  options.state = readCalibrationState(kept, key, options, engine.info().vit.depth, images.size());
  options.keep = [&](const CalibrationState& state) { writeCalibrationState(kept, key, state); };
  const auto read = [&](std::size_t first, std::size_t count) {
    return images.read(first, count, stop);
  };
  return calibrate(engine, read, images.size(), options, progress, stop);
}

}  // namespace adamerge
