// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "adamerge/report.h"
#include "text_table.h"

namespace adamerge::cli {
namespace {

/// Three digits at least, as times of all sizes need.
std::string milliseconds(double value) {
  return fmt::format("{:.{}f}", value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

std::string range(const Spread& spread) {
  return fmt::format("{}–{}", milliseconds(spread.lower_quartile),
                     milliseconds(spread.upper_quartile));
}

std::string percent(double share) { return fmt::format("{:.1f}", 100 * share); }

std::string megabytes(std::uint64_t bytes) {
  return fmt::format("{:.0f}", static_cast<double>(bytes) / 1e6);
}

/// What the runs needed beside what was there before.
std::string growth(const BenchmarkPoint& point) {
  if (!point.peak_bytes || !point.resident_bytes) return {};
  return megabytes(*point.peak_bytes - std::min(*point.peak_bytes, *point.resident_bytes));
}

std::vector<std::string> pointRow(const Benchmark& benchmark, std::size_t index) {
  const BenchmarkPoint& point = benchmark.points[index];
  const BenchmarkFigures figures = figuresOf(benchmark, index);
  return {describe(point.choice, benchmark.vit) + (point.calibrated ? "" : " (uncalibrated)"),
          std::to_string(point.batch),
          milliseconds(figures.milliseconds.median),
          range(figures.milliseconds),
          fmt::format("{:.1f}", figures.images_per_second),
          fmt::format("{:.3f}", figures.flops.paper),
          figures.speedup ? fmt::format("{:.2f}", figures.speedup->median) : "",
          figures.realised ? percent(figures.realised->median) : "",
          fmt::format("{:.0f}", figures.gflops_per_second),
          percent(figures.peak_share),
          point.peak_bytes ? megabytes(*point.peak_bytes) : "",
          growth(point)};
}

std::string verdictText(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSlower:
      return "slower";
    case Verdict::kFaster:
      return "faster";
    case Verdict::kUnchanged:
      break;
  }
  return "";
}

}  // namespace

std::string describe(const Machine& machine) {
  std::string text = fmt::format("{}, {} cores, {}, {}", machine.processor, machine.cores,
                                 machine.instruction_set, machine.system);
  if (machine.load > 0) text += fmt::format(", load {:.2f}", machine.load);
  return text;
}

std::string benchmarkTable(const Benchmark& benchmark) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < benchmark.points.size(); ++i) rows.push_back(pointRow(benchmark, i));
  const Spread product = spreadOf(benchmark.product_gflops);
  return fmt::format(
             "{} at {} x {}: {:.1f} M parameters, {:.0f} MB in {}; {}, {} threads; one product of "
             "{} x {} x {} reaches {:.0f} GFLOP/s ({:.0f}–{:.0f})\n\n",
             benchmark.model, benchmark.input_size.width, benchmark.input_size.height,
             static_cast<double>(benchmark.parameters) / 1e6,
             static_cast<double>(benchmark.weight_bytes) / 1e6, benchmark.dtype, benchmark.device,
             benchmark.threads, kProductShape.rows, kProductShape.depth, kProductShape.columns,
             product.median, product.lower_quartile, product.upper_quartile) +
         textTable({"", "batch", "ms", "quartiles", "images/s", "FLOPs G", "speed-up", "realised %",
                    "GFLOP/s", "peak %", "MB", "+ MB"},
                   rows);
}

std::string benchmarkLegend() {
  return "ms: median and quartiles of a batch's time. FLOPs: paper convention, mean per image. "
         "speed-up: over the\nunmerged model, median run by run; realised: that over the ratio of "
         "FLOPs. GFLOP/s: multiplications and\nadditions; peak: of the one product's. MB: the most "
         "that the process had in memory; + MB: of it\nfor the run, beside program, weights and "
         "images.\n";
}

std::string comparisonTable(const BenchmarkComparison& comparison, double tolerance) {
  std::vector<std::vector<std::string>> rows;
  const auto count = [&](Verdict verdict) {
    return std::count_if(comparison.shared.begin(), comparison.shared.end(),
                         [&](const TimeComparison& time) { return time.verdict == verdict; });
  };
  for (const TimeComparison& time : comparison.shared) {
    const RecordedTime& before = time.before;
    rows.push_back({fmt::format("{}, {}", before.model, before.name),
                    fmt::format("{} x {}", before.input_size.width, before.input_size.height),
                    before.device, before.dtype, std::to_string(before.threads),
                    std::to_string(before.batch), milliseconds(before.milliseconds.median),
                    range(before.milliseconds), milliseconds(time.after.milliseconds.median),
                    range(time.after.milliseconds), fmt::format("{:.3f}", time.ratio),
                    verdictText(time.verdict)});
  }
  return textTable({"", "input", "device", "dtype", "threads", "batch", "old ms", "quartiles",
                    "new ms", "quartiles", "new/old", "verdict"},
                   rows) +
         fmt::format(
             "\n{} slower, {} faster, {} neither (medians within {:.3g} times, or quartiles that "
             "overlap); {} only in the old file, {} only in the new one\n",
             count(Verdict::kSlower), count(Verdict::kFaster), count(Verdict::kUnchanged),
             tolerance, comparison.only_before.size(), comparison.only_after.size());
}

}  // namespace adamerge::cli
