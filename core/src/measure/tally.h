// SPDX-License-Identifier: GPL-3.0-or-later
// What an evaluation has counted so far.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "adamerge/evaluate.h"

namespace adamerge {

/// Mean and standard deviation from whole-number sums, so that they depend neither on the order of
/// the values nor on where the sum was interrupted.
class ExactMoments {
 public:
  /// Exact for up to 16 million values below 2^39.
  void add(std::int64_t value);
  void add(const ExactMoments& other);
  /// Both times `unit`; 0 without values.
  double mean(double unit = 1) const;
  double deviation(double unit = 1) const;  ///< population
  bool empty() const { return count_ == 0; }

  nlohmann::ordered_json toJson() const;
  /// Throws nlohmann::json::exception for anything but toJson()'s.
  static ExactMoments fromJson(const nlohmann::json& json);

 private:
  __extension__ using Wide = __int128;
  std::int64_t count_ = 0;
  Wide sum_ = 0;
  Wide squares_ = 0;
};

/// One method under one setting.
class PointTally {
 public:
  explicit PointTally(int depth) : tokens_(static_cast<std::size_t>(depth)) {}

  /// `label` -1: right is what agrees with `unmerged`.
  void add(const ImageResult& result, const ImageResult& unmerged, int label);
  void addSkipped() { right_.push_back(false); }
  void addTime(double seconds) { seconds_ += seconds; }
  /// The images after these. `lanes` took their time side by side.
  void append(const PointTally& next, std::size_t lanes);

  EvaluatedPoint point(const MeasuredChoice& choice, int images, bool labelled,
                       bool classifier) const;

  nlohmann::ordered_json toJson() const;
  /// Throws nlohmann::json::exception, Error: not toJson()'s, or not of `depth` and `done` images.
  static PointTally fromJson(const nlohmann::json& json, int depth, std::size_t done);

 private:
  int correct_ = 0;
  int among_five_ = 0;
  int agrees_ = 0;
  bool calibrated_ = true;
  double seconds_ = 0;
  ExactMoments kl_;
  ExactMoments cosine_;
  ExactMoments embedding_cosine_;
  ExactMoments patch_cosine_;
  /// Of the dense head's maps, as MapAgreement has them; without values where there is none.
  std::array<ExactMoments, 4> maps_;
  ExactMoments flops_paper_;
  ExactMoments flops_total_;
  ExactMoments merged_;
  std::vector<ExactMoments> tokens_;  ///< one per block
  std::vector<bool> right_;           ///< one per image
};

struct Tally {
  Tally() = default;
  Tally(std::size_t points, int depth) : points(points, PointTally(depth)) {}

  void append(const Tally& next, std::size_t lanes);

  nlohmann::ordered_json toJson() const;
  /// Throws nlohmann::json::exception, Error: not toJson()'s, or not of so many points and blocks.
  static Tally fromJson(const nlohmann::json& json, std::size_t points, int depth);

  std::size_t done = 0;  ///< images, skipped ones included
  std::vector<SkippedImage> skipped;
  std::set<std::string> warnings;
  std::vector<std::string> notes;  ///< on images: addImageNote()
  std::vector<PointTally> points;
};

}  // namespace adamerge
