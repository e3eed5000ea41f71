// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "adamerge/pictures.h"
#include "adamerge/report.h"
#include "support/json.h"

namespace adamerge {
namespace {

constexpr std::size_t kUnmerged = 0;
constexpr double kNormal95 = 1.959963984540054;
constexpr std::size_t kFewestPairs = 4;

constexpr std::array<PictureShowName, 6> kShows{
    {{PictureShow::kLost, "lost", "Lost"},
     {PictureShow::kGained, "gained", "Gained"},
     {PictureShow::kKept, "kept", "Kept"},
     {PictureShow::kMostMerged, "most-merged", "Most merged"},
     {PictureShow::kLeastMerged, "least-merged", "Least merged"},
     {PictureShow::kAll, "all", "All"}}};

bool belongs(PictureShow show, bool before, bool after) {
  switch (show) {
    case PictureShow::kLost:
      return before && !after;
    case PictureShow::kGained:
      return !before && after;
    case PictureShow::kKept:
      return before && after;
    default:
      return true;
  }
}

}  // namespace

std::span<const PictureShowName> pictureShows() { return kShows; }

int classOf(const PictureFile& file, std::size_t picture) {
  const int label = file.label(picture);
  return label >= 0 ? label : file.outcome(picture, kUnmerged).top;
}

double probabilityLoss(const PictureFile& file, std::size_t picture, std::size_t point) {
  return static_cast<double>(file.outcome(picture, kUnmerged).class_probability) -
         file.outcome(picture, point).class_probability;
}

std::vector<std::uint32_t> selectPictures(const PictureFile& file, std::size_t point,
                                          const PictureFilter& filter) {
  const PictureShow show = filter.show;
  std::vector<std::pair<double, std::uint32_t>> found;  // least first
  for (std::size_t picture = 0; picture < file.pictures(); ++picture) {
    const PictureFile::Outcome& after = file.outcome(picture, point);
    if (!belongs(show, file.outcome(picture, kUnmerged).right, after.right)) continue;
    if (filter.label >= 0 && classOf(file, picture) != filter.label) continue;
    if (filter.predicted >= 0 && after.top != filter.predicted) continue;
    double key = show == PictureShow::kMostMerged    ? -after.merged
                 : show == PictureShow::kLeastMerged ? after.merged
                                                     : -probabilityLoss(file, picture, point);
    if (show == PictureShow::kGained) key = -key;
    found.emplace_back(std::isnan(key) ? 0 : key, static_cast<std::uint32_t>(picture));
  }
  std::sort(found.begin(), found.end());
  std::vector<std::uint32_t> pictures;
  pictures.reserve(found.size());
  for (const auto& [key, picture] : found) pictures.push_back(picture);
  return pictures;
}

std::vector<ClassOutcome> classOutcomes(const PictureFile& file, std::size_t point) {
  std::map<int, ClassOutcome> by_label;
  for (std::size_t picture = 0; picture < file.pictures(); ++picture) {
    const int label = classOf(file, picture);
    if (label < 0) continue;
    ClassOutcome& own = by_label[label];
    const bool before = file.outcome(picture, kUnmerged).right;
    const bool after = file.outcome(picture, point).right;
    own.label = label;
    ++own.images;
    own.right_before += before ? 1 : 0;
    own.right_after += after ? 1 : 0;
    own.lost += before && !after ? 1 : 0;
    own.gained += !before && after ? 1 : 0;
  }
  std::vector<ClassOutcome> classes;
  for (auto& [label, own] : by_label) {
    own.difference = pairedDifference(own.gained, own.lost, own.images);
    own.p = mcNemar(own.gained, own.lost).p;
    classes.push_back(own);
  }
  std::vector<std::size_t> order(classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return classes[a].p < classes[b].p; });
  double least = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    ClassOutcome& own = classes[order[rank]];
    least = std::max(least, static_cast<double>(order.size() - rank) * own.p);
    own.p_holm = std::min(1.0, least);
  }
  return classes;
}

std::vector<Confusion> newConfusions(const PictureFile& file, std::size_t point) {
  std::map<std::pair<int, int>, Confusion> pairs;
  for (std::size_t picture = 0; picture < file.pictures(); ++picture) {
    const int label = classOf(file, picture);
    const auto count = [&](std::size_t of, int Confusion::*number) {
      const int top = file.outcome(picture, of).top;
      if (top < 0 || top == label) return;
      Confusion& pair = pairs[{label, top}];
      pair.label = label;
      pair.predicted = top;
      ++(pair.*number);
    };
    count(kUnmerged, &Confusion::before);
    count(point, &Confusion::after);
  }
  std::vector<Confusion> more;
  for (const auto& [key, pair] : pairs) {
    if (pair.after > pair.before) more.push_back(pair);
  }
  std::stable_sort(more.begin(), more.end(), [](const Confusion& a, const Confusion& b) {
    return a.after - a.before > b.after - b.before;
  });
  return more;
}

namespace {

/// Ranks from 1; of equal values their mean.
std::vector<double> ranksOf(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t end = first + 1;
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    const double rank = static_cast<double>(first + end + 1) / 2;
    for (; first < end; ++first) ranks[order[first]] = rank;
  }
  return ranks;
}

Distribution distributionOf(std::vector<double> values) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  const auto count = static_cast<double>(values.size());
  return {spreadOf(std::move(values)), sum / count};
}

}  // namespace

std::optional<RankCorrelation> rankCorrelation(std::span<const double> a,
                                               std::span<const double> b) {
  const std::size_t count = std::min(a.size(), b.size());
  if (count < kFewestPairs) return std::nullopt;
  const std::vector<double> left = ranksOf(a.first(count));
  const std::vector<double> right = ranksOf(b.first(count));
  const double mean = (static_cast<double>(count) + 1) / 2;
  double product = 0;
  double left_square = 0;
  double right_square = 0;
  for (std::size_t i = 0; i < count; ++i) {
    product += (left[i] - mean) * (right[i] - mean);
    left_square += (left[i] - mean) * (left[i] - mean);
    right_square += (right[i] - mean) * (right[i] - mean);
  }
  if (left_square == 0 || right_square == 0) return std::nullopt;
  const double rho = std::clamp(product / std::sqrt(left_square * right_square), -1.0, 1.0);
  const double half = kNormal95 * std::sqrt((1 + rho * rho / 2) / (static_cast<double>(count) - 3));
  return RankCorrelation{rho, std::tanh(std::atanh(rho) - half), std::tanh(std::atanh(rho) + half)};
}

Adaptation adaptationOf(const PictureFile& file, std::size_t point, const std::stop_token& stop) {
  const std::size_t count = file.pictures();
  std::vector<double> merged(count);
  std::vector<double> edges(count);
  std::vector<double> entropy(count);
  std::vector<double> confidence(count);
  for (std::size_t picture = 0; picture < count; ++picture) {
    const Complexity complexity = file.complexity(picture);
    merged[picture] = file.outcome(picture, point).merged;
    edges[picture] = complexity.edges;
    entropy[picture] = complexity.entropy;
    confidence[picture] = file.outcome(picture, kUnmerged).top_probability;
  }
  throwIfStopped(stop);
  Adaptation adaptation;
  adaptation.edges = rankCorrelation(merged, edges);
  adaptation.entropy = rankCorrelation(merged, entropy);
  adaptation.confidence = rankCorrelation(merged, confidence);
  for (int block = 0; block < file.depth(); ++block) {
    throwIfStopped(stop);
    std::vector<double> values(count);
    for (std::size_t picture = 0; picture < count; ++picture) {
      values[picture] = file.merged(picture, point, block);
    }
    adaptation.blocks.push_back(distributionOf(std::move(values)));
  }
  adaptation.merged = distributionOf(std::move(merged));
  return adaptation;
}

namespace {

using Json = nlohmann::ordered_json;

Json toJson(const std::optional<RankCorrelation>& correlation) {
  if (!correlation) return nullptr;
  return {{"rho", correlation->rho}, {"interval", {correlation->low, correlation->high}}};
}

Json toJson(const Distribution& distribution) {
  const Spread& spread = distribution.spread;
  return {{"minimum", spread.minimum}, {"lower_quartile", spread.lower_quartile},
          {"median", spread.median},   {"upper_quartile", spread.upper_quartile},
          {"maximum", spread.maximum}, {"mean", distribution.mean}};
}

Json classesJson(const PictureFile& file, std::size_t point) {
  Json list = Json::array();
  for (const ClassOutcome& own : classOutcomes(file, point)) {
    list.push_back({{"index", own.label},
                    {"class", file.className(own.label)},
                    {"images", own.images},
                    {"before", own.before()},
                    {"after", own.after()},
                    {"lost", own.lost},
                    {"gained", own.gained},
                    {"difference_interval", {own.difference.low, own.difference.high}},
                    {"p", own.p},
                    {"p_holm", own.p_holm}});
  }
  return list;
}

Json confusionsJson(const PictureFile& file, std::size_t point) {
  Json list = Json::array();
  for (const Confusion& pair : newConfusions(file, point)) {
    list.push_back({{"class", file.className(pair.label)},
                    {"predicted", file.className(pair.predicted)},
                    {"before", pair.before},
                    {"after", pair.after}});
  }
  return list;
}

}  // namespace

std::string picturesJson(const PictureFile& file, const std::stop_token& stop) {
  Json json = {{"model", file.model()},
               {"dataset", file.dataset().string()},
               {"images", file.pictures()},
               {"labelled", file.labelled()},
               {"points", Json::array()}};
  for (std::size_t point = 0; point < file.choices().size(); ++point) {
    const MethodChoice& choice = file.choices()[point];
    const Adaptation adaptation = adaptationOf(file, point, stop);
    Json blocks = Json::array();
    for (const Distribution& block : adaptation.blocks) blocks.push_back(toJson(block));
    json["points"].push_back({{"method", choice.method},
                              {"name", describe(choice)},
                              {"settings", adamerge::toJson(choice.settings)},
                              {"classes", classesJson(file, point)},
                              {"confusions", confusionsJson(file, point)},
                              {"adaptation",
                               {{"edges", toJson(adaptation.edges)},
                                {"entropy", toJson(adaptation.entropy)},
                                {"confidence", toJson(adaptation.confidence)},
                                {"merged", toJson(adaptation.merged)},
                                {"blocks", blocks}}}});
  }
  return jsonText(json);
}

}  // namespace adamerge
