// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "adamerge/evaluate.h"
#include "adamerge/files.h"
#include "commands.h"
#include "evaluation_output.h"
#include "measured_images.h"
#include "options.h"
#include "output_files.h"
#include "program.h"
#include "rank_group.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

constexpr double kSecondsUntilLost = 60;
/// Ranks give a sign of life every second.
constexpr double kLeastUntilLost = 2;
constexpr double kMostUntilLost = 86400;

struct EvaluateOptions {
  EngineChoice engine;
  EvaluationSubject subject;
  std::string json;
  std::string csv;
  std::string per_image;
  double rank_timeout = kSecondsUntilLost;
  std::span<const std::string> words;  ///< of the command line

  bool printsTable() const { return json != "-" && csv != "-"; }
};

std::vector<std::string> outputFiles(const EvaluateOptions& options) {
  std::vector<std::string> files;
  for (const std::string& output : {options.json, options.csv, options.per_image}) {
    if (isFileOutput(output)) files.push_back(output);
  }
  return files;
}

/// Where what is done is kept while the work goes on; empty: nowhere.
std::string stateFile(const EvaluateOptions& options) {
  const std::vector<std::string> files = outputFiles(options);
  return files.empty() ? std::string() : files.front() + ".partial";
}

/// Where the rows of the images that are done stand until all are; empty: nowhere.
std::string rowsFile(const EvaluateOptions& options) {
  return options.per_image.empty() ? std::string() : options.per_image + ".rows.partial";
}

/// The rows become the file asked for, once there are all of them.
void finishRows(const EvaluateOptions& options) {
  if (options.per_image.empty()) return;
  std::error_code code;
  std::filesystem::rename(rowsFile(options), options.per_image, code);
  if (code) {
    throw Error(fmt::format("{}: cannot be written: {}", options.per_image, code.message()));
  }
}

void requireUsable(const EvaluateOptions& options) {
  options.subject.choices().check();
  if (options.json == "-" && options.csv == "-") {
    throw UsageError("--json and --csv cannot both be written to standard output");
  }
  if (!options.json.empty() && options.json == options.csv) {
    throw UsageError("--json and --csv name the same file");
  }
  if (!options.per_image.empty()) {
    if (!isFileOutput(options.per_image)) {
      throw UsageError(
          "--per-image takes the name of a file: its rows are written while images are measured, "
          "and gone on with");
    }
    if (options.per_image == options.json || options.per_image == options.csv) {
      throw UsageError("--per-image names the same file as --json or --csv");
    }
  }
  requireWritable(options.json);
  requireWritable(options.csv);
  requireWritableFile(options.per_image);
}

/// What all ranks do alike.
struct Setup {
  Setup(const EvaluateOptions& options, const RankGroup* ranks, Terminal& terminal,
        const std::stop_token& stop)
      : engine(options.engine.load(terminal, stop, /*threads=*/1)),
        dataset(options.subject.open(engine.info(), options.engine.seed(), stop)) {
    const std::optional<int> cores = ranks ? std::optional(ranks->cores()) : std::nullopt;
    const int threads = options.engine.threads(cores);
    how.batch = options.subject.batch();
    // One thread each: so the results do not depend on how many there are.
    how.lanes = engine.device() == "cpu" ? threads : 1;
    how.decoders = EvaluationSubject::decoders(threads);
    how.pictures = rowsFile(options);
    how.chosen_by = options.subject.choices().chosenBy(options.engine.seed());
    how.seconds_until_lost = options.rank_timeout;
  }

  Engine engine;
  Dataset dataset;
  EvaluationOptions how;
};

void warnOfIdleCores(const RankGroup& ranks, Terminal& terminal) {
  const auto [all, usable] = ranks.machineCores();
  if (usable >= all) return;
  terminal.warn(fmt::format(
      "mpirun lets its ranks use {} of the {} cores of this machine; --bind-to none lets them use "
      "all",
      usable, all));
}

/// The only process, or rank 0.
int lead(const EvaluateOptions& options, RankGroup* ranks, const std::stop_token& stop) {
  Terminal terminal(options.engine.quiet());
  requireUsable(options);
  std::vector<std::unique_ptr<OutputLock>> locks;
  for (const std::string& output : outputFiles(options)) {
    locks.push_back(std::make_unique<OutputLock>(output));
  }
  if (ranks != nullptr && !options.engine.namesThreads()) warnOfIdleCores(*ranks, terminal);
  Setup setup(options, ranks, terminal, stop);
  const auto& [engine, dataset, how] = setup;
  for (const std::string& note : dataset.notes()) terminal.warn(note);
  const std::string state = stateFile(options);
  setup.how.state = state;
  setup.how.ranks = ranks;
  const std::vector<MeasuredChoice> choices = options.subject.choices().make(
      engine, dataset, options.engine.seed(),
      how.chosen_by.empty() ? std::vector<MeasuredChoice>() : keptChoices(state, how.chosen_by),
      options.printsTable(), terminal, stop);
  if (ranks != nullptr) shareChoices(*ranks, choices);

  const Evaluation evaluation = evaluate(engine, dataset, choices, how, terminal.callback(), stop);
  const UnsavedWork until_told;
  terminal.clearBar();
  for (const std::string& note : evaluation.image_notes) terminal.warn(note);
  for (const std::string& warning : evaluation.warnings) terminal.warn(warning);
  if (evaluation.continued > 0 && !options.engine.quiet() && options.printsTable()) {
    fmt::print("continued after {} of {} images\n", evaluation.continued, evaluation.total);
  }
  if (options.printsTable() && evaluation.images() > 0) {
    fmt::print("{}", evaluationTable(evaluation));
  }
  if (!evaluation.complete()) {
    if (evaluation.done == 0) removeFile(rowsFile(options));
    if (!evaluation.lost_ranks.empty()) ranks->abandon();
    return reportInterrupted(evaluation, state, terminal);
  }
  if (!options.json.empty()) {
    writeOutput(options.json,
                evaluationJson(evaluation,
                               commandLine(options.words, ranks != nullptr ? ranks->size() : 0)));
  }
  if (!options.csv.empty()) writeOutput(options.csv, evaluationCsv(evaluation));
  finishRows(options);
  removeFile(state);
  return reportSkipped(evaluation, terminal);
}

/// Rank 0 cannot say that it is lost, nor take its locks with it.
void standIn(const EvaluateOptions& options) {
  for (const std::string& output : outputFiles(options)) {
    try {
      const OutputLock takes_over_and_removes(output);
    } catch (const Error&) {
      // Rank 0 lives, and hangs.
    }
  }
  Terminal terminal(options.engine.quiet());
  reportLostLead(stateFile(options), terminal);
}

/// Any other rank: prints nothing, since rank 0 says what there is to say.
void assist(const EvaluateOptions& options, RankGroup& ranks, const std::stop_token& stop) {
  try {
    options.subject.choices().check();
    Terminal terminal(/*quiet=*/true);
    const Setup setup(options, &ranks, terminal, stop);
    const auto& [engine, dataset, how] = setup;
    const std::vector<MeasuredChoice> choices = options.subject.choices().make(
        engine, dataset, options.engine.seed(), receiveChoices(ranks, stop),
        /*print=*/false, terminal, stop);
    if (!assistEvaluation(ranks, engine, dataset, choices, how, stop)) {
      ranks.abandon();
      if (ranks.rank() == 1) standIn(options);
    }
  } catch (const Cancelled&) {
    // Rank 0 knows.
  } catch (const std::exception& error) {
    reportFailure(ranks, failureText(error));
  }
}

int run(const EvaluateOptions& options, const std::stop_token& stop) {
  const std::unique_ptr<RankGroup> ranks = joinRanks();
  if (!ranks) return lead(options, nullptr, stop);
  if (ranks->rank() > 0) {
    assist(options, *ranks, stop);
    return 0;
  }
  try {
    return lead(options, ranks.get(), stop);
  } catch (...) {
    dismissRanks(*ranks);
    throw;
  }
}

}  // namespace

Command evaluateCommand(CLI::App& app, std::span<const std::string> words) {
  auto options = std::make_shared<EvaluateOptions>();
  options->words = words;
  CLI::App* command = app.add_subcommand(
      "evaluate", "Accuracy, FLOPs and throughput of methods and settings on a labelled set");
  options->subject.addTo(*command);
  takesText(*command->add_option("--json", options->json,
                                 "Write the results as JSON; - is standard output. An interrupted "
                                 "run is kept in FILE.partial and goes on from there"),
            "FILE");
  takesText(*command->add_option("--csv", options->csv, "Write one row per point"), "FILE");
  takesText(*command->add_option("--per-image", options->per_image,
                                 "Write one row per image and setting as CSV, for the command "
                                 "pictures and the studio's gallery"),
            "FILE");
  takesNumber(*command->add_option("--rank-timeout", options->rank_timeout,
                                   fmt::format("Under mpirun: seconds of silence after which a "
                                               "rank counts as lost (default {})",
                                               kSecondsUntilLost)),
              kLeastUntilLost, kMostUntilLost);
  options->engine.addTo(*command);
  return {command, [options](const std::stop_token& stop) { return run(*options, stop); }};
}

}  // namespace adamerge::cli
