// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation_output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "adamerge/report.h"
#include "output_files.h"
#include "text_table.h"

namespace adamerge::cli {
namespace {

/// What becomes of the work that is done.
std::string kept(const std::string& state) {
  if (state.empty())
    return "nothing is kept, since none of --json, --csv and --per-image names a file";
  return goesOnBy(state);
}

std::string lost(const std::vector<int>& ranks) {
  constexpr const char* kHow = "lost (killed, crashed or hung)";
  return ranks.size() > 1 ? fmt::format("ranks {} were {}", fmt::join(ranks, ", "), kHow)
                          : fmt::format("rank {} was {}", ranks.front(), kHow);
}

}  // namespace

std::string commandLine(std::span<const std::string> words, int ranks) {
  std::string text = ranks == 0 ? "" : fmt::format("mpirun -n {} ", ranks);
  text += "adamerge";
  for (const std::string& word : words) {
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyz"
                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789-_./,:=+@%") == std::string::npos;
    if (plain) {
      text += " " + word;
      continue;
    }
    text += " '";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    text += "'";
  }
  return text;
}

int reportInterrupted(const Evaluation& evaluation, const std::string& state, Terminal& terminal) {
  const std::string what =
      evaluation.lost_ranks.empty() ? "interrupted" : lost(evaluation.lost_ranks);
  terminal.error(fmt::format("{}: {} of {} images are done; {}", what, evaluation.done,
                             evaluation.total, kept(state)));
  return 1;
}

void reportLostLead(const std::string& state, Terminal& terminal) {
  terminal.error(fmt::format("{}; {}", lost({0}), kept(state)));
}

int reportSkipped(const Evaluation& evaluation, Terminal& terminal) {
  if (evaluation.skipped.empty()) return 0;
  for (const SkippedImage& image : evaluation.skipped) {
    terminal.error(image.reason + " (left out)");
  }
  terminal.error(fmt::format("{} of {} images could not be read and were left out",
                             evaluation.skipped.size(), evaluation.total));
  return 1;
}

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
  const bool maps = evaluation.points.front().accuracy.maps.has_value();
  for (std::size_t i = 0; i < evaluation.points.size(); ++i) {
    const EvaluatedPoint& point = evaluation.points[i];
    const AccuracyPoint& accuracy = point.accuracy;
    rows.push_back(
        {describe(point.choice, evaluation.vit) + (point.calibrated ? "" : " (uncalibrated)"),
         number(point.tier, 3), flops(point), number(accuracy.top1, 2),
         interval(accuracy.top1_interval), number(accuracy.top5, 2),
         i == 0 ? "" : number(accuracy.agreement, 2),
         i == 0 ? "" : number(accuracy.kl_divergence, 4), number(accuracy.images_per_second, 1),
         comparison(evaluation, i)});
    if (maps) {
      const MapAgreement& own = *accuracy.maps;
      rows.back().insert(rows.back().end() - 2, {i == 0 ? "" : number(100 * own.patch_agreement, 2),
                                                 i == 0 ? "" : number(own.patch_miou, 4),
                                                 i == 0 ? "" : number(own.pixel_miou, 4)});
    }
    compares = compares || !rows.back().back().empty();
  }
  std::string text =
      fmt::format("{} on {}: {} images{}, {}, {}\n\n", evaluation.model, evaluation.dataset,
                  evaluation.images(), evaluation.complete() ? "" : " so far", evaluation.device,
                  evaluation.dtype);
  std::vector<std::string> titles{
      "",        "tier G",  "FLOPs G", "top-1 %",  "95 % interval",
      "top-5 %", "agree %", "KL",      "images/s", "p (vs " + first + ")"};
  if (maps) titles.insert(titles.end() - 2, {"patches %", "patch mIoU", "pixel mIoU"});
  text += textTable(titles, rows);
  text +=
      "\nFLOPs: paper convention, mean ± standard deviation over the images where they differ. "
      "agree, KL: with the unmerged model.\n";
  if (maps) text += "patches, mIoU: the dense head's class map against the unmerged model's.\n";
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
