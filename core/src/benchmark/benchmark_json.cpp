// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/chrono.h>

#include <cmath>
#include <ctime>

#include "adamerge/benchmark.h"
#include "adamerge/report.h"
#include "benchmark/benchmark_format.h"
#include "support/json.h"

namespace adamerge {
namespace {

using Json = nlohmann::ordered_json;

Json spreadObject(const Spread& spread) {
  return {{"median", spread.median},
          {"lower_quartile", spread.lower_quartile},
          {"upper_quartile", spread.upper_quartile},
          {"minimum", spread.minimum},
          {"maximum", spread.maximum}};
}

Json spreadObject(const std::optional<Spread>& spread) {
  return spread ? spreadObject(*spread) : Json(nullptr);
}

Json pointObject(const Benchmark& benchmark, std::size_t index) {
  const BenchmarkPoint& point = benchmark.points[index];
  const BenchmarkFigures figures = figuresOf(benchmark, index);
  return {{"name", describe(point.choice)},
          {"method", point.choice.method},
          {"settings", toJson(settingsInForce(point.choice))},
          {"tier", orNull(point.tier)},
          {"calibrated", point.calibrated},
          {"batch", point.batch},
          {"runs", point.milliseconds.size()},
          {"milliseconds", spreadObject(figures.milliseconds)},
          {"images_per_second", figures.images_per_second},
          {"flops_paper", figures.flops.paper},
          {"flops_total", figures.flops.total},
          {"speedup", spreadObject(figures.speedup)},
          {"realised", spreadObject(figures.realised)},
          {"gflops_per_second", figures.gflops_per_second},
          {"peak_share", figures.peak_share},
          {"resident_bytes", orNull(point.resident_bytes)},
          {"peak_bytes", orNull(point.peak_bytes)},
          {"times", point.milliseconds}};
}

Json benchmarkObject(const Benchmark& benchmark) {
  Json json = {{"model", benchmark.model},
               {"architecture", benchmark.architecture},
               {"input_size", {benchmark.input_size.height, benchmark.input_size.width}},
               {"parameters", benchmark.parameters},
               {"weight_bytes", benchmark.weight_bytes},
               {"device", benchmark.device},
               {"dtype", benchmark.dtype},
               {"threads", benchmark.threads},
               {"complete", benchmark.complete},
               {"warnings", benchmark.warnings},
               {"product_gflops", spreadObject(spreadOf(benchmark.product_gflops))},
               {"points", Json::array()}};
  for (std::size_t i = 0; i < benchmark.points.size(); ++i) {
    json["points"].push_back(pointObject(benchmark, i));
  }
  return json;
}

/// ISO 8601, UTC.
std::string now() { return fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr))); }

}  // namespace

std::string benchmarkJson(const BenchmarkRecord& record, std::span<const Benchmark> benchmarks) {
  const Machine& machine = record.machine;
  const BenchmarkOptions& options = record.options;
  Json json = {{kBenchmarkFormatKey, kBenchmarkFormat},
               {"version", record.version},
               {"libtorch", torchVersion()},
               {"command", record.command},
               {"created", now()},
               {"machine",
                {{"processor", machine.processor},
                 {"cores", machine.cores},
                 {"instruction_set", machine.instruction_set},
                 {"system", machine.system},
                 {"load", machine.load}}},
               {"images", record.images},
               {"warmup", options.warmup},
               {"runs", options.runs},
               {"seconds", std::isfinite(options.seconds) ? Json(options.seconds) : Json(nullptr)},
               {"models", Json::array()}};
  for (const Benchmark& benchmark : benchmarks) {
    json["models"].push_back(benchmarkObject(benchmark));
  }
  return jsonText(json);
}

}  // namespace adamerge
