// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "adamerge/report.h"
#include "text_table.h"

namespace adamerge::cli {
namespace {

constexpr double kLeastP = 0.0001;

std::string number(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : std::string();
}

std::string flops(const EvaluatedPoint& point) {
  std::string text = number(point.accuracy.flops.paper, 3);
  if (point.flops_deviation.paper > 0) {
    text += fmt::format(" ± {:.3f}", point.flops_deviation.paper);
  }
  return text;
}

std::string interval(const std::optional<Interval>& interval) {
  return interval ? fmt::format("{:.1f}–{:.1f}", interval->low, interval->high) : std::string();
}

std::string comparison(const Evaluation& evaluation, std::size_t index) {
  const auto other = counterpart(evaluation, index);
  if (!other) return {};
  const PairedComparison paired = mcNemar(evaluation.points[index], evaluation.points[*other]);
  const std::string p = paired.p < kLeastP ? fmt::format("< {}", kLeastP) : number(paired.p, 4);
  return fmt::format("{} ({} : {})", p, paired.only_first, paired.only_second);
}

std::string firstMethod(const Evaluation& evaluation) {
  return evaluation.points.size() < 2 ? std::string()
                                      : findMethod(evaluation.points[1].accuracy.method).label;
}

}  // namespace

std::string evaluationTable(const Evaluation& evaluation) {
  const std::string first = firstMethod(evaluation);
  std::vector<std::vector<std::string>> rows;
  bool compares = false;
  for (std::size_t i = 0; i < evaluation.points.size(); ++i) {
    const EvaluatedPoint& point = evaluation.points[i];
    const AccuracyPoint& accuracy = point.accuracy;
    rows.push_back({describe(point.choice) + (point.calibrated ? "" : " (uncalibrated)"),
                    number(point.tier, 3), flops(point), number(accuracy.top1, 2),
                    interval(accuracy.top1_interval), number(accuracy.top5, 2),
                    i == 0 ? "" : number(accuracy.agreement, 2),
                    i == 0 ? "" : number(point.kl_divergence, 4),
                    number(accuracy.images_per_second, 1), comparison(evaluation, i)});
    compares = compares || !rows.back().back().empty();
  }
  std::string text =
      fmt::format("{} on {}: {} images{}, {}, {}\n\n", evaluation.model, evaluation.dataset,
                  evaluation.images(), evaluation.complete() ? "" : " so far", evaluation.device,
                  evaluation.dtype);
  text += textTable({"", "tier G", "FLOPs G", "top-1 %", "95 % interval", "top-5 %", "agree %",
                     "KL", "images/s", "p (vs " + first + ")"},
                    rows);
  text +=
      "\nFLOPs: paper convention, mean ± standard deviation over the images where they differ. "
      "agree, KL: with the unmerged model.\n";
  if (compares) {
    text += fmt::format(
        "p: McNemar's exact test against {} at the same {}; in brackets the images that only this "
        "one : only {} {}.\n",
        first, evaluation.points.back().tier ? "tier" : "FLOPs", first,
        evaluation.labelled ? "got right" : "classed as the unmerged model does");
  }
  return text;
}

}  // namespace adamerge::cli
