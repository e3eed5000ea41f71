// SPDX-License-Identifier: GPL-3.0-or-later
// What a part of the benchmark found, on its way from the part's own process to table and file.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace adamerge::ui {

struct Measurement {
  std::string what;
  std::vector<double> values;  ///< in the order in which they were taken
  std::string unit = "ms";
  std::optional<double> target;  ///< the median is meant to stay below
};

/// The value below which `share` of the values lie.
double quantile(std::vector<double> values, double share);

/// One line to standard output, for the process that started the part.
void send(const Measurement& measurement);
Measurement received(const std::string& line);

/// One line of the table.
std::string describe(const Measurement& measurement);
nlohmann::json toJson(const Measurement& measurement);

}  // namespace adamerge::ui
