// SPDX-License-Identifier: GPL-3.0-or-later
// Measured accuracy against cost, as results.json in a model folder and `evaluate --json` hold it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/methods.h"
#include "adamerge/result.h"

namespace adamerge {

/// In percent.
struct Interval {
  double low = 0;
  double high = 0;
};

/// One method under one setting over a data set. Percentages are 0...100.
struct AccuracyPoint {
  std::string method;
  Settings settings;  ///< complete
  int images = 0;
  std::optional<double> top1;  ///< nullopt: the images have no labels
  std::optional<Interval> top1_interval;
  std::optional<double> top5;
  std::optional<double> agreement;  ///< same top class as the unmerged model
  Flops flops;                      ///< mean over the images
  std::optional<double> merged_mean;
  std::vector<double> tokens_per_block;  ///< mean on entry; empty: not recorded
  std::optional<double> images_per_second;
};

struct AccuracyRecord {
  std::string model;
  std::string dataset;
  int images = 0;
  std::vector<std::string> skipped;  ///< names of images that could not be read
  std::string device;
  std::string dtype;
  std::string command;  ///< that made the file; may be empty
  std::vector<AccuracyPoint> points;

  /// The point of method "none"; readAccuracyRecord() makes sure that there is one.
  const AccuracyPoint* unmerged() const;
};

/// Throws Error: unreadable, not JSON, not this format, unknown methods or settings, percentages
/// outside 0...100, an interval that does not hold its value, FLOPs that are not positive, no
/// point of the unmerged model.
AccuracyRecord readAccuracyRecord(const std::filesystem::path& path);

}  // namespace adamerge
