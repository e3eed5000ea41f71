// SPDX-License-Identifier: GPL-3.0-or-later
// An evaluation as JSON and CSV, and how far its points differ by more than chance.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adamerge/evaluate.h"
#include "adamerge/report.h"
#include "engine/json_parts.h"
#include "support/json.h"
#include "support/text.h"

namespace adamerge {
namespace {

constexpr double kQuantile = 1.959963984540054;  ///< of the normal distribution, 97.5 %
constexpr double kSameFlops = 0.02;

using Json = nlohmann::ordered_json;

Json comparison(const Evaluation& evaluation, std::size_t own, std::size_t other) {
  const PairedComparison paired = mcNemar(evaluation.points[own], evaluation.points[other]);
  return {{"point", other},
          {"with", describe(evaluation.points[other].choice, evaluation.vit)},
          {"only_this", paired.only_first},
          {"only_other", paired.only_second},
          {"p", paired.p}};
}

/// The unmerged model, and all that came before at equal FLOPs: of one tier, or, where none was
/// asked for, as near as kSameFlops. Settings of one method too, for an ablation is made of these.
std::vector<std::size_t> comparedWith(const Evaluation& evaluation, std::size_t index) {
  if (index == 0) return {};
  std::vector<std::size_t> others{0};
  const EvaluatedPoint& own = evaluation.points[index];
  for (std::size_t i = 1; i < index; ++i) {
    const EvaluatedPoint& other = evaluation.points[i];
    const double flops = own.accuracy.flops.paper;
    const bool near = std::abs(other.accuracy.flops.paper - flops) <= kSameFlops * flops;
    if (other.tier == own.tier && (own.tier || near)) others.push_back(i);
  }
  return others;
}

Json pointObject(const Evaluation& evaluation, std::size_t index) {
  const EvaluatedPoint& point = evaluation.points[index];
  const AccuracyPoint& accuracy = point.accuracy;
  Json json = {{"method", accuracy.method},
               {"settings", toJson(settingsInForce(point.choice, evaluation.vit))},
               {"images", accuracy.images},
               {"top1", orNull(accuracy.top1)},
               {"top1_interval", nullptr},
               {"top5", orNull(accuracy.top5)},
               {"agreement", orNull(accuracy.agreement)},
               {"flops_paper", accuracy.flops.paper},
               {"flops_total", accuracy.flops.total},
               {"merged_mean", orNull(accuracy.merged_mean)},
               {"tokens_per_block", accuracy.tokens_per_block},
               {"images_per_second", orNull(accuracy.images_per_second)},
               {"name", describe(point.choice, evaluation.vit)},
               {"tier", orNull(point.tier)},
               {"calibrated", point.calibrated},
               {"kl_divergence", orNull(accuracy.kl_divergence)},
               {"logit_cosine", orNull(point.logit_cosine)},
               {"embedding_cosine", point.embedding_cosine},
               {"patch_cosine", point.patch_cosine},
               {"flops_paper_sd", point.flops_deviation.paper},
               {"flops_total_sd", point.flops_deviation.total},
               {"tokens_per_block_sd", point.tokens_deviation}};
  if (const auto& interval = accuracy.top1_interval) {
    json["top1_interval"] = {interval->low, interval->high};
  }
  if (accuracy.maps) json["dense"] = agreementJson(*accuracy.maps);
  json["compared"] = Json::array();
  for (const std::size_t other : comparedWith(evaluation, index)) {
    json["compared"].push_back(comparison(evaluation, index, other));
  }
  return json;
}

std::string field(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : std::string();
}

}  // namespace

Interval wilsonInterval(int successes, int trials) {
  if (trials < 1 || successes < 0 || successes > trials) {
    throw Error(fmt::format("an interval needs 0 to n successes of n >= 1 trials, not {} of {}",
                            successes, trials));
  }
  const double n = trials;
  const double p = successes / n;
  const double z2 = kQuantile * kQuantile;
  const double centre = p + z2 / (2 * n);
  const double half = kQuantile * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  const double scale = 100 / (1 + z2 / n);
  // Rounding must not push an end beyond the value itself.
  const double value = 100.0 * successes / trials;
  return {successes == 0 ? 0.0 : std::clamp((centre - half) * scale, 0.0, value),
          successes == trials ? 100.0 : std::clamp((centre + half) * scale, value, 100.0)};
}

PairedComparison mcNemar(int only_first, int only_second) {
  PairedComparison comparison{only_first, only_second, 1.0};
  const int n = only_first + only_second;
  const int fewer = std::min(only_first, only_second);
  if (n == 0 || only_first == only_second) return comparison;
  // Sum of binomial(n, k) / 2^n for k = fewer ... 0, each term from the one before.
  double term = std::exp(std::lgamma(n + 1.0) - std::lgamma(fewer + 1.0) -
                         std::lgamma(n - fewer + 1.0) - n * std::log(2.0));
  double tail = 0;
  for (int k = fewer; k >= 0; --k) {
    tail += term;
    term *= static_cast<double>(k) / (n - k + 1);
  }
  comparison.p = std::min(1.0, 2 * tail);
  return comparison;
}

PairedComparison mcNemar(const EvaluatedPoint& first, const EvaluatedPoint& second) {
  int only_first = 0;
  int only_second = 0;
  for (std::size_t i = 0; i < std::min(first.right.size(), second.right.size()); ++i) {
    if (first.right[i] && !second.right[i]) ++only_first;
    if (!first.right[i] && second.right[i]) ++only_second;
  }
  return mcNemar(only_first, only_second);
}

Interval pairedDifference(int only_first, int only_second, int images) {
  const double b = only_first + 0.5;
  const double c = only_second + 0.5;
  const double n = images + 2.0;
  const double middle = (b - c) / n;
  const double half = kQuantile * std::sqrt((b + c) - (b - c) * (b - c) / n) / n;
  return {100 * std::max(-1.0, middle - half), 100 * std::min(1.0, middle + half)};
}

std::optional<std::size_t> counterpart(const Evaluation& evaluation, std::size_t point) {
  const auto& points = evaluation.points;
  const auto first = std::find_if(points.begin(), points.end(), [](const EvaluatedPoint& other) {
    return other.accuracy.method != "none";
  });
  const EvaluatedPoint& own = points[point];
  if (first == points.end() || own.accuracy.method == "none" ||
      own.accuracy.method == first->accuracy.method) {
    return std::nullopt;
  }
  std::optional<std::size_t> nearest;
  double least = kSameFlops * own.accuracy.flops.paper;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].accuracy.method != first->accuracy.method || points[i].tier != own.tier) continue;
    if (own.tier) return i;
    const double distance = std::abs(points[i].accuracy.flops.paper - own.accuracy.flops.paper);
    if (distance > least) continue;
    least = distance;
    nearest = i;
  }
  return nearest;
}

std::string evaluationJson(const Evaluation& evaluation, const std::string& command) {
  std::vector<std::string> notes = evaluation.notes;
  notes.insert(notes.end(), evaluation.image_notes.begin(), evaluation.image_notes.end());
  Json json = {{"model", evaluation.model},
               {"dataset", evaluation.dataset},
               {"images", evaluation.images()},
               {"skipped", Json::array()},
               {"device", evaluation.device},
               {"dtype", evaluation.dtype},
               {"command", command},
               {"labelled", evaluation.labelled},
               {"notes", notes},
               {"warnings", evaluation.warnings},
               {"points", Json::array()}};
  for (const SkippedImage& image : evaluation.skipped) json["skipped"].push_back(image.name);
  for (std::size_t i = 0; i < evaluation.points.size(); ++i) {
    json["points"].push_back(pointObject(evaluation, i));
  }
  return jsonText(json);
}

std::string evaluationCsv(const Evaluation& evaluation) {
  std::string text =
      "method,name,tier,images,top1,top1_low,top1_high,top5,agreement,kl_divergence,logit_cosine,"
      "flops_paper,flops_paper_sd,flops_total,flops_total_sd,merged_mean,images_per_second,"
      "compared_with,only_this,only_other,p";
  const bool maps = evaluation.points.front().accuracy.maps.has_value();
  if (maps) text += ",patch_agreement,patch_miou,pixel_agreement,pixel_miou";
  const std::size_t depth = evaluation.points.front().accuracy.tokens_per_block.size();
  for (std::size_t block = 1; block <= depth; ++block) text += fmt::format(",tokens_{}", block);
  for (std::size_t block = 1; block <= depth; ++block) text += fmt::format(",tokens_sd_{}", block);
  text += "\r\n";
  for (std::size_t i = 0; i < evaluation.points.size(); ++i) {
    const EvaluatedPoint& point = evaluation.points[i];
    const AccuracyPoint& accuracy = point.accuracy;
    const auto& interval = accuracy.top1_interval;
    text += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}", accuracy.method,
        csvQuoted(describe(point.choice, evaluation.vit)), field(point.tier), accuracy.images,
        field(accuracy.top1), interval ? field(interval->low) : "",
        interval ? field(interval->high) : "", field(accuracy.top5), field(accuracy.agreement),
        field(accuracy.kl_divergence), field(point.logit_cosine), accuracy.flops.paper,
        point.flops_deviation.paper, accuracy.flops.total, point.flops_deviation.total,
        field(accuracy.merged_mean), field(accuracy.images_per_second));
    if (const auto other = counterpart(evaluation, i)) {
      const PairedComparison paired = mcNemar(point, evaluation.points[*other]);
      text += fmt::format(",{},{},{},{}",
                          csvQuoted(describe(evaluation.points[*other].choice, evaluation.vit)),
                          paired.only_first, paired.only_second, paired.p);
    } else {
      text += ",,,,";
    }
    if (maps) {
      const MapAgreement& own = *accuracy.maps;
      text += fmt::format(",{},{},{},{}", own.patch_agreement, own.patch_miou, own.pixel_agreement,
                          own.pixel_miou);
    }
    for (const double tokens : accuracy.tokens_per_block) text += fmt::format(",{}", tokens);
    for (const double tokens : point.tokens_deviation) text += fmt::format(",{}", tokens);
    text += "\r\n";
  }
  return text;
}

}  // namespace adamerge
