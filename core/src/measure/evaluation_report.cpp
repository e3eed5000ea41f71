// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "adamerge/evaluate.h"
#include "adamerge/report.h"
#include "engine/json_parts.h"
#include "support/json.h"
#include "support/text.h"

namespace adamerge {
namespace {

using Json = nlohmann::ordered_json;

Json comparison(const Evaluation& evaluation, std::size_t own, std::size_t other) {
  const PairedComparison paired = mcNemar(evaluation.points[own], evaluation.points[other]);
  return {{"point", other},
          {"with", describe(evaluation.points[other].choice, evaluation.vit)},
          {"only_this", paired.only_first},
          {"only_other", paired.only_second},
          {"p", paired.p}};
}

/// The unmerged model, and what is to be compared at equal FLOPs: of one tier all that came before.
std::vector<std::size_t> comparedWith(const Evaluation& evaluation, std::size_t index) {
  if (index == 0) return {};
  std::vector<std::size_t> others{0};
  const auto& tier = evaluation.points[index].tier;
  for (std::size_t other = 1; tier && other < index; ++other) {
    if (evaluation.points[other].tier == tier) others.push_back(other);
  }
  if (const auto other = counterpart(evaluation, index); other && !tier) others.push_back(*other);
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
