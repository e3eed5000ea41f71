// SPDX-License-Identifier: GPL-3.0-or-later
// How far a calibration has come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "adamerge/methods.h"
#include "adamerge/result.h"

namespace adamerge {

/// Running mean and population variance (Welford), one pair per block.
class Moments {
 public:
  explicit Moments(int depth);

  void add(const ImageResult& image);
  bool empty() const;
  StatisticsEntry entry(int r_max) const;

  nlohmann::ordered_json toJson() const;
  /// Throws nlohmann::json::exception, Error: not toJson()'s, or not of so many blocks.
  static Moments fromJson(const nlohmann::json& json, int depth);

 private:
  std::vector<double> mean_;
  std::vector<double> squares_;
  std::vector<std::int64_t> counts_;
};

struct CalibrationState {
  int pass = 0;
  std::size_t done = 0;                 ///< images asked for in this pass
  int images = 0;                       ///< of these could be read
  std::vector<StatisticsEntry> before;  ///< what the pass before found; empty in the first
  std::vector<Moments> moments;         ///< one for each r_max

  nlohmann::ordered_json toJson() const;
  /// Throws nlohmann::json::exception, Error: not toJson()'s, or not of such a calibration.
  static CalibrationState fromJson(const nlohmann::json& json, std::span<const int> r_max,
                                   int passes, int depth, std::size_t count);
};

}  // namespace adamerge
