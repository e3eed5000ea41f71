// SPDX-License-Identifier: GPL-3.0-or-later
#include "measurement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace adamerge::ui {

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(std::lround(place))];
}

void send(const Measurement& measurement) {
  nlohmann::json json = {
      {"what", measurement.what}, {"values", measurement.values}, {"unit", measurement.unit}};
  if (measurement.target) json["target"] = *measurement.target;
  fmt::print("{}\n", json.dump());
  std::fflush(stdout);
}

Measurement received(const std::string& line) {
  const nlohmann::json json = nlohmann::json::parse(line);
  Measurement measurement{json.at("what"), json.at("values"), json.at("unit"), {}};
  if (json.contains("target")) measurement.target = json.at("target").get<double>();
  return measurement;
}

std::string describe(const Measurement& measurement) {
  const double median = quantile(measurement.values, 0.5);
  std::string line = fmt::format("  {:<52}", measurement.what);
  if (measurement.values.size() == 1) {
    line += fmt::format(" {:8.1f} {:<22}", median, measurement.unit);
  } else {
    line += fmt::format(" {:8.1f} {:<3} 90 % {:7.1f}  n {:<4}", median, measurement.unit,
                        quantile(measurement.values, 0.9), measurement.values.size());
  }
  if (measurement.target) {
    line +=
        fmt::format(" {} {:g}", median < *measurement.target ? "<" : "OVER", *measurement.target);
  }
  return line;
}

nlohmann::json toJson(const Measurement& measurement) {
  nlohmann::json json = {{"what", measurement.what},
                         {"unit", measurement.unit},
                         {"count", measurement.values.size()},
                         {"median", quantile(measurement.values, 0.5)},
                         {"percentile_10", quantile(measurement.values, 0.1)},
                         {"percentile_90", quantile(measurement.values, 0.9)}};
  if (measurement.target) json["target"] = *measurement.target;
  return json;
}

}  // namespace adamerge::ui
