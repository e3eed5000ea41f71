// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/calibration_state.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "adamerge/error.h"
#include "support/json.h"

namespace adamerge {
namespace {

using Json = nlohmann::ordered_json;

/// What is no number is null in JSON, and so no double.
std::vector<double> doubles(const nlohmann::json& json, std::size_t count) {
  auto values = json.get<std::vector<double>>();
  if (values.size() != count) throw Error("its blocks are not the model's");
  return values;
}

template <class Whole>
Whole upTo(const nlohmann::json& json, Whole most) {
  if (const auto value = wholeNumber(json, Whole{0}, most)) return *value;
  throw Error("its counts are no whole numbers, or more than there are images");
}

}  // namespace

Moments::Moments(int depth) : mean_(depth, 0.0), squares_(depth, 0.0), counts_(depth, 0) {}

void Moments::add(const ImageResult& image) {
  for (std::size_t block = 0; block < mean_.size(); ++block) {
    // A block with fewer than two patch tokens has no redundancy.
    if (!image.layers[block].redundancy) continue;
    const double value = *image.layers[block].redundancy;
    const double difference = value - mean_[block];
    mean_[block] += difference / ++counts_[block];
    squares_[block] += difference * (value - mean_[block]);
  }
}

bool Moments::empty() const {
  return std::all_of(counts_.begin(), counts_.end(), [](std::int64_t n) { return n == 0; });
}

StatisticsEntry Moments::entry(int r_max) const {
  StatisticsEntry entry{r_max, mean_, {}};
  for (std::size_t block = 0; block < mean_.size(); ++block) {
    entry.sigma.push_back(counts_[block] > 0 ? std::sqrt(squares_[block] / counts_[block]) : 0.0);
  }
  return entry;
}

Json Moments::toJson() const {
  return {{"mean", mean_}, {"squares", squares_}, {"counts", counts_}};
}

Moments Moments::fromJson(const nlohmann::json& json, int depth) {
  Moments moments(depth);
  const std::size_t blocks = moments.counts_.size();
  moments.mean_ = doubles(json.at("mean"), blocks);
  moments.squares_ = doubles(json.at("squares"), blocks);
  moments.counts_.clear();
  for (const nlohmann::json& images : json.at("counts")) {
    moments.counts_.push_back(upTo<std::int64_t>(images, std::numeric_limits<int>::max()));
  }
  if (moments.counts_.size() != blocks ||
      std::any_of(moments.squares_.begin(), moments.squares_.end(),
                  [](double value) { return value < 0; })) {
    throw Error("its sums are none of any images");
  }
  return moments;
}

Json CalibrationState::toJson() const {
  Json json = {{"pass", pass}, {"done", done}, {"images", images}};
  json["before"] = Json::array();
  for (const StatisticsEntry& entry : before) {
    json["before"].push_back({{"r_max", entry.r_max}, {"mu", entry.mu}, {"sigma", entry.sigma}});
  }
  json["moments"] = Json::array();
  for (const Moments& one : moments) json["moments"].push_back(one.toJson());
  return json;
}

CalibrationState CalibrationState::fromJson(const nlohmann::json& json, std::span<const int> r_max,
                                            int passes, int depth, std::size_t count) {
  CalibrationState state;
  state.pass = upTo(json.at("pass"), passes - 1);
  state.done = upTo(json.at("done"), count);
  state.images = upTo(json.at("images"), static_cast<int>(state.done));
  for (const nlohmann::json& entry : json.at("before")) {
    state.before.push_back({upTo(entry.at("r_max"), std::numeric_limits<int>::max()),
                            doubles(entry.at("mu"), static_cast<std::size_t>(depth)),
                            doubles(entry.at("sigma"), static_cast<std::size_t>(depth))});
  }
  for (const nlohmann::json& one : json.at("moments")) {
    state.moments.push_back(Moments::fromJson(one, depth));
  }
  const auto same = [](const StatisticsEntry& entry, int value) { return entry.r_max == value; };
  const bool complete = state.pass == 0 ? state.before.empty()
                                        : std::equal(state.before.begin(), state.before.end(),
                                                     r_max.begin(), r_max.end(), same);
  if (!complete || state.moments.size() != r_max.size()) {
    throw Error("its values of r_max are not these");
  }
  return state;
}

}  // namespace adamerge
