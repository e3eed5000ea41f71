// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/exact_moments.h"

#include <cmath>

namespace adamerge {
namespace {

__extension__ using Wide = __int128;

nlohmann::ordered_json halves(Wide value) {
  return {static_cast<std::int64_t>(value >> 64), static_cast<std::uint64_t>(value)};
}

Wide whole(const nlohmann::json& json) {
  return (static_cast<Wide>(json.at(0).get<std::int64_t>()) << 64) |
         static_cast<Wide>(json.at(1).get<std::uint64_t>());
}

}  // namespace

void ExactMoments::add(std::int64_t value) {
  ++count_;
  sum_ += value;
  squares_ += static_cast<Wide>(value) * value;
}

void ExactMoments::add(const ExactMoments& other) {
  count_ += other.count_;
  sum_ += other.sum_;
  squares_ += other.squares_;
}

double ExactMoments::mean(double unit) const {
  return count_ > 0 ? static_cast<double>(sum_) / static_cast<double>(count_) * unit : 0.0;
}

double ExactMoments::deviation(double unit) const {
  if (count_ == 0) return 0;
  const Wide scaled = count_ * squares_ - sum_ * sum_;
  return std::sqrt(static_cast<double>(scaled)) / static_cast<double>(count_) * unit;
}

nlohmann::ordered_json ExactMoments::toJson() const {
  return {count_, halves(sum_), halves(squares_)};
}

ExactMoments ExactMoments::fromJson(const nlohmann::json& json) {
  ExactMoments moments;
  moments.count_ = json.at(0).get<std::int64_t>();
  moments.sum_ = whole(json.at(1));
  moments.squares_ = whole(json.at(2));
  return moments;
}

}  // namespace adamerge
