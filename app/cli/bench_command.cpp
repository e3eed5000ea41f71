// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "adamerge/benchmark.h"
#include "bench_subjects.h"
#include "bench_table.h"
#include "choice_options.h"
#include "commands.h"
#include "evaluation_output.h"
#include "options.h"
#include "output_files.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

constexpr const char* kBatches = "1,8,32";
constexpr int kLargestBatch = 4096;
constexpr int kMostRuns = 100'000;
constexpr double kMostSeconds = 86400;
constexpr double kTolerance = 1.05;
constexpr double kMostTolerance = 100;
/// So that what adapts to the image is not measured on one alone.
constexpr int kLeastImages = 8;
constexpr const char* kInterrupted = "interrupted";

struct BenchOptions {
  EngineChoice engine;
  ChoiceOptions choices;
  BenchSubjects subjects{engine};
  BenchmarkOptions how;
  std::string batches = kBatches;
  std::string json;
  std::vector<std::string> compared;
  double tolerance = kTolerance;
  std::span<const std::string> words;  ///< of the command line

  bool printsTable() const { return json != "-"; }
};

std::vector<int> batchesOf(const std::string& text) {
  std::vector<int> list = asUsage([&] { return parseCounts("--batch", text); });
  if (list.front() < 1 || list.back() > kLargestBatch) {
    throw UsageError(
        fmt::format("--batch takes sizes from 1 to {}, not '{}'", kLargestBatch, text));
  }
  return list;
}

/// What has been measured, model by model.
class Bench {
 public:
  Bench(const BenchOptions& options, Terminal& terminal, const std::stop_token& stop)
      : options_(options), terminal_(terminal), stop_(stop) {
    record_.version = ADAMERGE_VERSION;
    record_.command = commandLine(options.words, /*ranks=*/0);
    record_.images = options.subjects.imagesText();
    record_.machine = thisMachine();
    record_.options = options.how;
  }

  int run() {
    try {
      for (const std::string& name : options_.subjects.names()) {
        measure(name);
        if (measured_.back().complete) continue;
        problem_ = measured_.back().problem.empty() ? kInterrupted : measured_.back().problem;
        break;
      }
    } catch (const Cancelled&) {
      if (measured_.empty()) throw;
      problem_ = kInterrupted;
    } catch (const Error& error) {
      if (measured_.empty()) throw;
      problem_ = error.what();
    }
    terminal_.clearBar();
    if (options_.printsTable()) fmt::print("{}", benchmarkLegend());
    if (!options_.json.empty()) writeOutput(options_.json, benchmarkJson(record_, measured_));
    return status();
  }

 private:
  void measure(const std::string& name) {
    Engine engine = options_.subjects.load(name, terminal_, stop_);
    if (options_.printsTable() && measured_.empty()) {
      fmt::print("{}\n\n", describe(record_.machine));
    }
    const int count = std::max(options_.how.batches.back(), kLeastImages);
    const BenchImages images =
        options_.subjects.images(engine, static_cast<std::size_t>(count), terminal_, stop_);
    skipped_ += images.skipped;
    if (!name.empty()) {
      calibrateUntrained(engine, images.inputs, options_.choices.methodChoices(&engine.info().vit),
                         terminal_, stop_);
    }
    const std::vector<MeasuredChoice> cases =
        options_.choices.make(engine, images.inputs, options_.printsTable(), terminal_, stop_);
    measured_.push_back(
        runBenchmark(engine, images.inputs, cases, options_.how, terminal_.callback(), stop_));
    terminal_.clearBar();
    if (options_.printsTable()) fmt::print("{}\n", benchmarkTable(measured_.back()));
    for (const std::string& warning : measured_.back().warnings) terminal_.warn(warning);
  }

  int status() {
    if (!problem_.empty()) {
      terminal_.error(problem_ + " (what was measured before that is kept)");
      return 1;
    }
    return skipped_ == 0 ? 0 : 1;
  }

  const BenchOptions& options_;
  Terminal& terminal_;
  const std::stop_token& stop_;
  BenchmarkRecord record_;
  std::vector<Benchmark> measured_;
  std::size_t skipped_ = 0;
  std::string problem_;  ///< what ended it early
};

int measure(BenchOptions& options, const std::stop_token& stop) {
  Terminal terminal(options.engine.quiet());
  options.subjects.check();
  options.choices.check();
  options.how.batches = batchesOf(options.batches);
  requireWritable(options.json);
  return Bench(options, terminal, stop).run();
}

/// Nothing is measured, so nothing may be asked of the measurement.
void requireOnlyComparison(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    if (option->count() == 0 || name == "--compare" || name == "--tolerance" || name == "--quiet") {
      continue;
    }
    throw UsageError(
        fmt::format("{} has no effect together with --compare, which measures nothing", name));
  }
}

/// What every time hangs on.
void warnOfOtherConditions(const RecordedBenchmark& before, const RecordedBenchmark& after,
                           const BenchmarkComparison& comparison, double tolerance,
                           Terminal& terminal) {
  if (!before.sameMachine(after)) {
    terminal.warn(fmt::format(
        "the files are of different machines ({}, {} cores, {}; {}, {} cores, {}): times differ "
        "for that reason too",
        before.processor, before.cores, before.instruction_set, after.processor, after.cores,
        after.instruction_set));
    return;
  }
  for (const TimeComparison& time : comparison.shared) {
    const auto [least, most] = std::minmax(time.before.product_gflops, time.after.product_gflops);
    if (most <= tolerance * least) continue;
    terminal.warn(
        fmt::format("{}: one product reached {:.0f} GFLOP/s in the old file, {:.0f} in the new "
                    "one: the machine "
                    "was not equally free, or the product's kernel is another",
                    time.before.model, time.before.product_gflops, time.after.product_gflops));
    return;
  }
}

int compare(const BenchOptions& options) {
  Terminal terminal(options.engine.quiet());
  const std::string& old_file = options.compared.front();
  const std::string& new_file = options.compared.back();
  const RecordedBenchmark before = readBenchmark(old_file);
  const RecordedBenchmark after = readBenchmark(new_file);
  const BenchmarkComparison comparison = compareBenchmarks(before, after, options.tolerance);
  if (comparison.shared.empty()) {
    throw Error(fmt::format(
        "{} and {} share no configuration: model, input size, device, dtype, threads, method, "
        "settings and batch size must be the same",
        old_file, new_file));
  }
  warnOfOtherConditions(before, after, comparison, options.tolerance, terminal);
  fmt::print("{}", comparisonTable(comparison, options.tolerance));
  const bool slower =
      std::any_of(comparison.shared.begin(), comparison.shared.end(),
                  [](const TimeComparison& time) { return time.verdict == Verdict::kSlower; });
  return slower ? 1 : 0;
}

}  // namespace

Command benchCommand(CLI::App& app, std::span<const std::string> words) {
  auto options = std::make_shared<BenchOptions>();
  options->words = words;
  CLI::App* command =
      app.add_subcommand("bench", "Latency, throughput and memory of methods on this machine");
  options->subjects.addTo(*command);
  options->choices.addTo(*command);
  BenchmarkOptions& how = options->how;
  takesText(*command->add_option("--batch", options->batches,
                                 fmt::format("Images at once (default {})", kBatches)),
            "LIST");
  takesWholeNumber(
      *command->add_option("--warmup", how.warmup,
                           fmt::format("Untimed runs of each before (default {})", how.warmup)),
      1, kMostRuns);
  takesWholeNumber(
      *command->add_option("--runs", how.runs,
                           fmt::format("Timed runs of each, all in turn (default {})", how.runs)),
      1, kMostRuns);
  takesNumber(*command->add_option("--seconds", how.seconds,
                                   "No further runs of a method and batch size after so long"),
              0.001, kMostSeconds);
  takesText(*command->add_option("--json", options->json,
                                 "Write all figures and times as JSON; - is standard output"),
            "FILE");
  command
      ->add_option("--compare", options->compared,
                   "Measure nothing but compare two files of --json; the exit status is 1 where "
                   "something got slower")
      ->expected(2)
      ->type_name("OLD NEW");
  takesNumber(
      *command
           ->add_option("--tolerance", options->tolerance,
                        fmt::format("Medians closer than this ratio count as the same (default {})",
                                    kTolerance))
           ->needs("--compare"),
      1, kMostTolerance);
  options->engine.addTo(*command);
  return {command, [options, command](const std::stop_token& stop) {
            if (options->compared.empty()) return measure(*options, stop);
            requireOnlyComparison(*command);
            return compare(*options);
          }};
}

}  // namespace adamerge::cli
