// SPDX-License-Identifier: GPL-3.0-or-later
// Calibrated statistics of the redundancy per block, as stats.json holds them (AdaMerge, Eq. for
// z).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adamerge/settings.h"

namespace adamerge {

struct StatisticsEntry {
  int r_max = 0;
  std::vector<double> mu;     ///< [depth]
  std::vector<double> sigma;  ///< [depth], population standard deviation
};

struct Statistics {
  std::string model;
  int depth = 0;
  int passes = 2;
  int images = 0;
  std::string source;   ///< where the images came from
  std::string created;  ///< ISO 8601 date
  std::string dtype;    ///< of the engine that made them; may be empty
  Settings settings;    ///< those they were made under; missing keys have their default
  std::vector<StatisticsEntry> entries;  ///< ascending in r_max, at least one
};

/// mu and sigma for any r_max: interpolated linearly between the two nearest stored ones; outside
/// the stored range, the nearest.
StatisticsEntry interpolate(const Statistics& statistics, int r_max);

/// Throws Error: unreadable, not JSON, not this format, arrays of another length than depth,
/// negative or non-finite numbers, r_max not ascending.
Statistics readStatistics(const std::filesystem::path& path);

/// Writes beside and renames. Throws Error.
void writeStatistics(const Statistics& statistics, const std::filesystem::path& path);

}  // namespace adamerge
