// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "adamerge/evaluate.h"
#include "adamerge/output_lock.h"
#include "commands.h"
#include "evaluation_choices.h"
#include "evaluation_table.h"
#include "options.h"
#include "output_files.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

constexpr std::size_t kBatch = 8;
constexpr int kMostLanes = 8;

struct Options {
  EngineChoice engine;
  EvaluationChoices choices;
  DatasetOptions dataset;
  std::string folder;
  std::string labels;
  std::size_t limit = 0;
  std::size_t batch = kBatch;
  std::string json;
  std::string csv;

  bool printsTable() const { return json != "-" && csv != "-"; }
};

/// The command as it could be typed again.
std::string commandLine() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text = "adamerge";
  std::string word;
  std::getline(file, word, '\0');
  while (std::getline(file, word, '\0')) {
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

/// Where what is done is kept while the work goes on; empty: nowhere.
std::string stateFile(const Options& options) {
  for (const std::string& output : {options.json, options.csv}) {
    if (isFileOutput(output)) return output + ".partial";
  }
  return {};
}

void removeState(const std::string& state) {
  std::error_code gone_already;
  if (!state.empty()) std::filesystem::remove(state, gone_already);
}

int reportInterrupted(const Evaluation& evaluation, const std::string& state, Terminal& terminal) {
  terminal.error(fmt::format(
      "interrupted: {} of {} images are done; {}", evaluation.done, evaluation.total,
      state.empty() ? std::string("nothing is kept, since neither --json nor --csv names a file")
                    : fmt::format("the same command goes on from there, by what {} holds", state)));
  return 1;
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

void requireUsable(const Options& options) {
  options.choices.check();
  if (options.json == "-" && options.csv == "-") {
    throw UsageError("--json and --csv cannot both be written to standard output");
  }
  if (!options.json.empty() && options.json == options.csv) {
    throw UsageError("--json and --csv name the same file");
  }
  requireWritable(options.json);
  requireWritable(options.csv);
}

int run(const Options& options, const std::stop_token& stop) {
  Terminal terminal(options.engine.quiet());
  requireUsable(options);
  std::vector<std::unique_ptr<OutputLock>> locks;
  for (const std::string& output : {options.json, options.csv}) {
    if (isFileOutput(output)) locks.push_back(std::make_unique<OutputLock>(output));
  }
  const int lanes = std::min(options.engine.threads(), kMostLanes);
  const Engine engine = options.engine.load(terminal, stop, options.engine.threads() / lanes);
  DatasetOptions dataset_options = options.dataset;
  dataset_options.labels = options.labels;
  const Dataset dataset = Dataset::open(options.folder, engine.info(), dataset_options, stop)
                              .sample(options.limit, options.engine.seed());
  for (const std::string& note : dataset.notes()) terminal.warn(note);
  const std::vector<EvaluationChoice> choices = options.choices.make(
      engine, dataset, options.engine.seed(), options.printsTable(), terminal, stop);

  EvaluationOptions how;
  how.batch = options.batch;
  how.lanes = engine.device() == "cpu" ? lanes : 1;
  how.state = stateFile(options);
  const Evaluation evaluation = evaluate(engine, dataset, choices, how, terminal.callback(), stop);
  terminal.clearBar();
  for (const std::string& warning : evaluation.warnings) terminal.warn(warning);
  if (evaluation.continued > 0 && !options.engine.quiet() && options.printsTable()) {
    fmt::print("continued after {} of {} images\n", evaluation.continued, evaluation.total);
  }
  if (options.printsTable() && evaluation.images() > 0) {
    fmt::print("{}", evaluationTable(evaluation));
  }
  if (!evaluation.complete()) return reportInterrupted(evaluation, how.state.string(), terminal);
  if (!options.json.empty()) {
    writeOutput(options.json, evaluationJson(evaluation, commandLine()));
  }
  if (!options.csv.empty()) writeOutput(options.csv, evaluationCsv(evaluation));
  removeState(how.state.string());
  return reportSkipped(evaluation, terminal);
}

}  // namespace

Command evaluateCommand(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "evaluate", "Accuracy, FLOPs and throughput of methods and settings on a labelled set");
  command
      ->add_option("folder", options->folder,
                   "A folder with one sub-folder per class, or CIFAR-10's binary files; with "
                   "--unlabelled any images")
      ->required();
  options->choices.addTo(*command);
  takesWholeNumber(*command->add_option("--limit", options->limit,
                                        "Use N images, drawn at random (default: all)"),
                   1);
  takesWholeNumber(*command->add_option("--batch", options->batch,
                                        fmt::format("Images at once (default {})", kBatch)),
                   1, 4096);
  CLI::Option* unlabelled = command->add_flag(
      "--unlabelled", options->dataset.unlabelled,
      "No accuracy, but agreement with the unmerged model, on images at any depth");
  CLI::Option* labels = command->add_option(
      "--labels", options->labels,
      "Which class a folder holds: lines of FOLDER, a tab, comma or space, and the class's name or "
      "index");
  takesText(*labels, "FILE");
  labels->excludes(unlabelled);
  takesText(*command->add_option("--json", options->json,
                                 "Write the results as JSON; - is standard output. An interrupted "
                                 "run is kept in FILE.partial and goes on from there"),
            "FILE");
  takesText(*command->add_option("--csv", options->csv, "Write one row per point"), "FILE");
  options->engine.addTo(*command);
  return {command, [options](const std::stop_token& stop) { return run(*options, stop); }};
}

}  // namespace adamerge::cli
