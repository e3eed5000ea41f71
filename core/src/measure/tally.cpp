// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "adamerge/dataset.h"
#include "adamerge/error.h"
#include "support/json.h"

namespace adamerge {
namespace {

using Json = nlohmann::ordered_json;

/// FLOPs are whole multiply-accumulates; KL divergence and cosine are kept to 2^-30.
constexpr double kMac = 1e-9;
constexpr double kFine = 1.0 / (1 << 30);
constexpr double kLargestFine = 256;
constexpr int kTopClasses = 5;
constexpr int kBitsPerDigit = 4;

std::int64_t whole(double value, double unit) { return std::llround(value / unit); }

/// Place of class `label` by logit, from 0; of equal ones the lower index comes first.
int rankOf(const std::vector<float>& logits, int label) {
  const float own = logits[static_cast<std::size_t>(label)];
  int rank = 0;
  for (int other = 0; other < static_cast<int>(logits.size()); ++other) {
    const float logit = logits[static_cast<std::size_t>(other)];
    if (logit > own || (logit == own && other < label)) ++rank;
  }
  return rank;
}

/// Four images a digit, the first in the lowest bit.
std::string toDigits(const std::vector<bool>& bits) {
  std::string digits;
  for (std::size_t first = 0; first < bits.size(); first += kBitsPerDigit) {
    unsigned value = 0;
    for (std::size_t i = first; i < std::min(first + kBitsPerDigit, bits.size()); ++i) {
      if (bits[i]) value |= 1U << (i - first);
    }
    digits.push_back("0123456789abcdef"[value]);
  }
  return digits;
}

std::vector<bool> fromDigits(const std::string& digits, std::size_t count) {
  if (digits.size() != (count + kBitsPerDigit - 1) / kBitsPerDigit ||
      digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
    throw Error("its outcomes are not one per image");
  }
  std::vector<bool> bits(count);
  for (std::size_t i = 0; i < count; ++i) {
    const char digit = digits[i / kBitsPerDigit];
    const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
    bits[i] = ((value >> (i % kBitsPerDigit)) & 1) != 0;
  }
  return bits;
}

template <typename Whole>
Whole count(const nlohmann::json& json, Whole least, Whole most) {
  if (const auto value = wholeNumber(json, least, most)) return *value;
  throw Error("its counts are no whole numbers, or out of range");
}

/// In the order of PointTally::maps_.
constexpr std::array<double MapAgreement::*, 4> kMaps{
    &MapAgreement::patch_agreement, &MapAgreement::patch_miou, &MapAgreement::pixel_agreement,
    &MapAgreement::pixel_miou};

double percent(int part, int whole) { return 100.0 * part / whole; }

}  // namespace

void PointTally::add(const ImageResult& result, const ImageResult& unmerged, int label) {
  const double embedding = embeddingCosine(unmerged, result);
  const double patches = patchCosine(unmerged, result);
  // Without a classifier there are no logits to compare.
  Fidelity fidelity;
  if (!result.logits.empty()) fidelity = compareLogits(unmerged.logits, result.logits);
  for (const double number : {fidelity.kl_divergence, fidelity.logit_cosine, embedding, patches}) {
    if (std::isfinite(number)) continue;
    throw Error(
        "the model's output holds values that are not numbers (NaN or infinity); --dtype float32 "
        "has a wider range");
  }
  if (fidelity.top1_agrees) ++agrees_;
  kl_.add(whole(std::min(fidelity.kl_divergence, kLargestFine), kFine));
  cosine_.add(whole(fidelity.logit_cosine, kFine));
  embedding_cosine_.add(whole(embedding, kFine));
  patch_cosine_.add(whole(patches, kFine));
  if (result.classes != nullptr && unmerged.classes != nullptr) {
    const MapAgreement maps = compareMaps(*unmerged.classes, *result.classes);
    for (std::size_t i = 0; i < kMaps.size(); ++i) maps_[i].add(whole(maps.*kMaps[i], kFine));
  }
  bool right = fidelity.top1_agrees;
  if (label >= 0) {
    const int rank = rankOf(result.logits, label);
    right = rank == 0;
    if (right) ++correct_;
    if (rank < kTopClasses) ++among_five_;
  }
  right_.push_back(right);
  flops_paper_.add(whole(result.flops.paper, kMac));
  flops_total_.add(whole(result.flops.total, kMac));
  std::int64_t merged = 0;
  for (std::size_t block = 0; block < tokens_.size(); ++block) {
    tokens_[block].add(result.layers[block].tokens_in);
    merged += result.layers[block].merged;
  }
  merged_.add(merged);
  calibrated_ = calibrated_ && result.calibrated;
}

void PointTally::append(const PointTally& next, std::size_t lanes) {
  correct_ += next.correct_;
  among_five_ += next.among_five_;
  agrees_ += next.agrees_;
  calibrated_ = calibrated_ && next.calibrated_;
  seconds_ += next.seconds_ / static_cast<double>(lanes);
  kl_.add(next.kl_);
  cosine_.add(next.cosine_);
  embedding_cosine_.add(next.embedding_cosine_);
  patch_cosine_.add(next.patch_cosine_);
  for (std::size_t i = 0; i < maps_.size(); ++i) maps_[i].add(next.maps_[i]);
  flops_paper_.add(next.flops_paper_);
  flops_total_.add(next.flops_total_);
  merged_.add(next.merged_);
  for (std::size_t block = 0; block < tokens_.size(); ++block) {
    tokens_[block].add(next.tokens_[block]);
  }
  right_.insert(right_.end(), next.right_.begin(), next.right_.end());
}

EvaluatedPoint PointTally::point(const MeasuredChoice& choice, int images, bool labelled,
                                 bool classifier) const {
  EvaluatedPoint point;
  point.choice = choice.choice;
  point.tier = choice.tier;
  point.calibrated = calibrated_;
  point.right = right_;
  AccuracyPoint& accuracy = point.accuracy;
  accuracy.method = choice.choice.method;
  accuracy.settings = completeSettings(choice.choice);
  accuracy.images = images;
  if (images == 0) return point;
  if (labelled) {
    accuracy.top1 = percent(correct_, images);
    accuracy.top1_interval = wilsonInterval(correct_, images);
    accuracy.top5 = percent(among_five_, images);
  }
  if (classifier) {
    accuracy.agreement = percent(agrees_, images);
    accuracy.kl_divergence = kl_.mean(kFine);
    point.logit_cosine = cosine_.mean(kFine);
  }
  point.embedding_cosine = embedding_cosine_.mean(kFine);
  point.patch_cosine = patch_cosine_.mean(kFine);
  if (!maps_.front().empty()) {
    accuracy.maps.emplace();
    for (std::size_t i = 0; i < kMaps.size(); ++i) {
      (*accuracy.maps).*kMaps[i] = maps_[i].mean(kFine);
    }
  }
  accuracy.flops = {flops_paper_.mean(kMac), flops_total_.mean(kMac)};
  point.flops_deviation = {flops_paper_.deviation(kMac), flops_total_.deviation(kMac)};
  accuracy.merged_mean = merged_.mean();
  for (const ExactMoments& tokens : tokens_) {
    accuracy.tokens_per_block.push_back(tokens.mean());
    point.tokens_deviation.push_back(tokens.deviation());
  }
  if (seconds_ > 0) accuracy.images_per_second = images / seconds_;
  return point;
}

Json PointTally::toJson() const {
  Json tokens = Json::array();
  for (const ExactMoments& block : tokens_) tokens.push_back(block.toJson());
  Json maps = Json::array();
  for (const ExactMoments& share : maps_) maps.push_back(share.toJson());
  return {{"correct", correct_},
          {"among_five", among_five_},
          {"agrees", agrees_},
          {"calibrated", calibrated_},
          {"seconds", seconds_},
          {"kl", kl_.toJson()},
          {"cosine", cosine_.toJson()},
          {"embedding_cosine", embedding_cosine_.toJson()},
          {"patch_cosine", patch_cosine_.toJson()},
          {"maps", maps},
          {"flops_paper", flops_paper_.toJson()},
          {"flops_total", flops_total_.toJson()},
          {"merged", merged_.toJson()},
          {"tokens", tokens},
          {"right", toDigits(right_)}};
}

PointTally PointTally::fromJson(const nlohmann::json& json, int depth, std::size_t done) {
  PointTally tally(depth);
  const auto most = static_cast<int>(done);
  tally.correct_ = count(json.at("correct"), 0, most);
  tally.among_five_ = count(json.at("among_five"), 0, most);
  tally.agrees_ = count(json.at("agrees"), 0, most);
  tally.calibrated_ = json.at("calibrated").get<bool>();
  tally.seconds_ = json.at("seconds").get<double>();
  tally.kl_ = ExactMoments::fromJson(json.at("kl"));
  tally.cosine_ = ExactMoments::fromJson(json.at("cosine"));
  tally.embedding_cosine_ = ExactMoments::fromJson(json.at("embedding_cosine"));
  tally.patch_cosine_ = ExactMoments::fromJson(json.at("patch_cosine"));
  for (std::size_t i = 0; i < kMaps.size(); ++i) {
    tally.maps_[i] = ExactMoments::fromJson(json.at("maps").at(i));
  }
  tally.flops_paper_ = ExactMoments::fromJson(json.at("flops_paper"));
  tally.flops_total_ = ExactMoments::fromJson(json.at("flops_total"));
  tally.merged_ = ExactMoments::fromJson(json.at("merged"));
  for (std::size_t block = 0; block < tally.tokens_.size(); ++block) {
    tally.tokens_[block] = ExactMoments::fromJson(json.at("tokens").at(block));
  }
  tally.right_ = fromDigits(json.at("right").get<std::string>(), done);
  return tally;
}

void Tally::append(const Tally& next, std::size_t lanes) {
  done += next.done;
  skipped.insert(skipped.end(), next.skipped.begin(), next.skipped.end());
  warnings.insert(next.warnings.begin(), next.warnings.end());
  for (const std::string& note : next.notes) addImageNote(notes, note);
  for (std::size_t point = 0; point < points.size(); ++point) {
    points[point].append(next.points[point], lanes);
  }
}

Json Tally::toJson() const {
  Json json = {{"done", done},
               {"skipped", Json::array()},
               {"warnings", warnings},
               {"notes", notes},
               {"tallies", Json::array()}};
  for (const SkippedImage& image : skipped) json["skipped"].push_back({image.name, image.reason});
  for (const PointTally& point : points) json["tallies"].push_back(point.toJson());
  return json;
}

Tally Tally::fromJson(const nlohmann::json& json, std::size_t points, int depth) {
  Tally tally;
  constexpr std::size_t kMostImages = std::numeric_limits<int>::max() / 2;
  tally.done = count<std::size_t>(json.at("done"), 0, kMostImages);
  for (const auto& image : json.at("skipped")) {
    tally.skipped.push_back({image.at(0).get<std::string>(), image.at(1).get<std::string>()});
  }
  tally.warnings = json.at("warnings").get<std::set<std::string>>();
  // States of earlier versions have none.
  if (json.contains("notes")) tally.notes = json.at("notes").get<std::vector<std::string>>();
  for (const auto& point : json.at("tallies")) {
    tally.points.push_back(PointTally::fromJson(point, depth, tally.done));
  }
  if (tally.points.size() != points) throw Error("it has not as many points as were asked for");
  return tally;
}

namespace {

__extension__ using Wide = __int128;

nlohmann::ordered_json halves(Wide value) {
  return {static_cast<std::int64_t>(value >> 64), static_cast<std::uint64_t>(value)};
}

Wide whole(const nlohmann::json& json) {
  using Low = std::numeric_limits<std::uint64_t>;
  using High = std::numeric_limits<std::int64_t>;
  return (static_cast<Wide>(count(json.at(0), High::min(), High::max())) << 64) |
         static_cast<Wide>(count(json.at(1), Low::min(), Low::max()));
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
  constexpr std::int64_t kMostValues = std::numeric_limits<int>::max();
  moments.count_ = count<std::int64_t>(json.at(0), 0, kMostValues);
  moments.sum_ = whole(json.at(1));
  moments.squares_ = whole(json.at(2));
  // With room for as many again.
  constexpr Wide kRoom = 8;
  Wide of_squares = 0;
  Wide of_sum = 0;
  if (__builtin_mul_overflow(kRoom * moments.count_, moments.squares_, &of_squares) ||
      __builtin_mul_overflow(moments.sum_, moments.sum_, &of_sum) || of_squares / kRoom < of_sum) {
    throw Error("its sums and squares do not fit each other");
  }
  return moments;
}

}  // namespace adamerge
