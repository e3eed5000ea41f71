// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <tuple>

#include "adamerge/benchmark.h"
#include "adamerge/error.h"
#include "adamerge/report.h"
#include "support/json.h"
#include "support/numbers.h"

namespace adamerge {
namespace {

using Json = nlohmann::ordered_json;

/// What tells a file of benchmarkJson() from any other.
constexpr const char* kFormatKey = "benchmark_format";
constexpr int kBenchmarkFormat = 1;

RecordedTime readModel(const JsonFields& fields) {
  RecordedTime time;
  time.model = fields.text("model").required();
  time.input_size = fields.size("input_size").required();
  time.device = fields.text("device").required();
  time.dtype = fields.text("dtype").required();
  time.threads = fields.count("threads", 1).required();
  time.product_gflops = fields.below("product_gflops").positive("median").required();
  return time;
}

RecordedTime readPoint(const JsonFields& fields, RecordedTime time) {
  time.name = fields.text("name").required();
  time.method = fields.text("method").required();
  if (!fields.has("settings")) fields.fail("settings", "is missing");
  time.settings = fields.below("settings")
                      .object()
                      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  time.batch = fields.count("batch", 1).required();
  const JsonFields milliseconds = fields.below("milliseconds");
  const auto quantile = [&](const char* key) { return milliseconds.positive(key).required(); };
  time.milliseconds = {quantile("median"), quantile("lower_quartile"), quantile("upper_quartile"),
                       quantile("minimum"), quantile("maximum")};
  const auto& [median, lower, upper, minimum, maximum] = time.milliseconds;
  if (!(minimum <= lower && lower <= median && median <= upper && upper <= maximum)) {
    fields.fail("milliseconds", "do not ascend from minimum to maximum");
  }
  return time;
}

Verdict verdictOf(const Spread& before, const Spread& after, double tolerance) {
  const double ratio = after.median / before.median;
  if (ratio > tolerance && after.lower_quartile > before.upper_quartile) return Verdict::kSlower;
  if (ratio < 1 / tolerance && after.upper_quartile < before.lower_quartile) {
    return Verdict::kFaster;
  }
  return Verdict::kUnchanged;
}

}  // namespace

bool RecordedTime::sameConfiguration(const RecordedTime& other) const {
  const auto parts = [](const RecordedTime& time) {
    return std::tie(time.model, time.input_size.height, time.input_size.width, time.device,
                    time.dtype, time.threads, time.method, time.settings, time.batch);
  };
  return parts(*this) == parts(other);
}

bool RecordedBenchmark::sameMachine(const RecordedBenchmark& other) const {
  return std::tie(processor, cores, instruction_set) ==
         std::tie(other.processor, other.cores, other.instruction_set);
}

RecordedBenchmark readBenchmark(const std::filesystem::path& path) {
  const nlohmann::json json = readJson(path);
  if (!json.is_object() || !json.contains(kFormatKey)) {
    throw Error(fmt::format("{}: was not written by 'adamerge bench --json'; it has no \"{}\"",
                            path.string(), kFormatKey));
  }
  const JsonFields fields =
      JsonFields::of(json, fmt::format("{}: not usable as a benchmark", path.string()));
  if (json.at(kFormatKey) != kBenchmarkFormat) {
    fields.fail(kFormatKey,
                fmt::format("is another than {}, so another version of the program wrote the file",
                            kBenchmarkFormat));
  }
  RecordedBenchmark record;
  const JsonFields machine = fields.below("machine");
  record.processor = machine.text("processor").required();
  record.cores = machine.count("cores", 1).required();
  record.instruction_set = machine.text("instruction_set").required();
  for (const JsonFields& model : fields.list("models")) {
    const RecordedTime shared = readModel(model);
    for (const JsonFields& point : model.list("points")) {
      record.times.push_back(readPoint(point, shared));
    }
  }
  return record;
}

BenchmarkComparison compareBenchmarks(const RecordedBenchmark& before,
                                      const RecordedBenchmark& after, double tolerance) {
  BenchmarkComparison comparison;
  comparison.only_after = after.times;
  for (const RecordedTime& time : before.times) {
    std::vector<RecordedTime>& others = comparison.only_after;
    const auto found = std::find_if(others.begin(), others.end(), [&](const RecordedTime& other) {
      return time.sameConfiguration(other);
    });
    if (found == others.end()) {
      comparison.only_before.push_back(time);
      continue;
    }
    comparison.shared.push_back({time, *found,
                                 found->milliseconds.median / time.milliseconds.median,
                                 verdictOf(time.milliseconds, found->milliseconds, tolerance)});
    others.erase(found);
  }
  return comparison;
}

namespace {

Flops meanOf(const std::vector<Flops>& runs) {
  Flops mean;
  for (const Flops& flops : runs) {
    mean.paper += flops.paper / static_cast<double>(runs.size());
    mean.total += flops.total / static_cast<double>(runs.size());
  }
  return mean;
}

/// Of the same batch size. nullptr: `point` is the unmerged model itself.
const BenchmarkPoint* unmergedBeside(const Benchmark& benchmark, const BenchmarkPoint& point) {
  const auto found = std::find_if(benchmark.points.begin(), benchmark.points.end(),
                                  [&](const auto& other) { return other.batch == point.batch; });
  return &*found == &point ? nullptr : &*found;
}

}  // namespace

Spread spreadOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75), values.front(),
          values.back()};
}

BenchmarkFigures figuresOf(const Benchmark& benchmark, std::size_t index) {
  const BenchmarkPoint& point = benchmark.points[index];
  BenchmarkFigures figures;
  figures.milliseconds = spreadOf(point.milliseconds);
  figures.flops = meanOf(point.flops);
  const double seconds = figures.milliseconds.median / 1000;
  figures.images_per_second = point.batch / seconds;
  figures.gflops_per_second = 2 * figures.flops.total * point.batch / seconds;
  figures.peak_share = figures.gflops_per_second / spreadOf(benchmark.product_gflops).median;
  const BenchmarkPoint* unmerged = unmergedBeside(benchmark, point);
  if (unmerged == nullptr) return figures;
  std::vector<double> speedups;
  std::vector<double> realised;
  for (std::size_t run = 0; run < point.milliseconds.size(); ++run) {
    const double saved = unmerged->flops[run].paper / point.flops[run].paper;
    speedups.push_back(unmerged->milliseconds[run] / point.milliseconds[run]);
    realised.push_back(speedups.back() / saved);
  }
  figures.speedup = spreadOf(std::move(speedups));
  figures.realised = spreadOf(std::move(realised));
  return figures;
}

namespace {

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
  return {{"name", describe(point.choice, benchmark.vit)},
          {"method", point.choice.method},
          {"settings", toJson(settingsInForce(point.choice, benchmark.vit))},
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
  Json json = {{kFormatKey, kBenchmarkFormat},
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
