// SPDX-License-Identifier: GPL-3.0-or-later
// Mean and standard deviation from whole-number sums, so that they depend neither on the order of
// the values nor on where the sum was interrupted.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

namespace adamerge {

class ExactMoments {
 public:
  /// Exact for up to 16 million values below 2^39.
  void add(std::int64_t value);
  void add(const ExactMoments& other);
  /// Both times `unit`; 0 without values.
  double mean(double unit = 1) const;
  double deviation(double unit = 1) const;  ///< population

  nlohmann::ordered_json toJson() const;
  /// Throws nlohmann::json::exception for anything but toJson()'s.
  static ExactMoments fromJson(const nlohmann::json& json);

 private:
  __extension__ using Wide = __int128;
  std::int64_t count_ = 0;
  Wide sum_ = 0;
  Wide squares_ = 0;
};

}  // namespace adamerge
