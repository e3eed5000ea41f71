// SPDX-License-Identifier: GPL-3.0-or-later
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>

#include "adamerge/engine.h"
#include "adamerge/error.h"
#include "adamerge/files.h"
#include "command_line.h"
#include "compute.h"
#include "documentation.h"
#include "engine/device.h"
#include "engine/placed_model.h"
#include "gradient_importance.h"
#include "initial_weights.h"
#include "model_folder.h"
#include "output_files.h"
#include "program.h"
#include "terminal.h"
#include "token_compensator.h"
#include "trainer.h"

namespace adamerge::training {
namespace {

constexpr const char* kProgram = "adamerge-train";

at::ScalarType weightType(const CommandLine& line) {
  return line.weights == "float16" ? at::kHalf : at::kFloat;
}

int exportModel(const CommandLine& line) {
  const Checkpoint checkpoint = readCheckpoint(line.checkpoint_to_export);
  const RunIdentity& run = checkpoint.identity;
  Random unused(0);
  const TrainableVit vit(architectureOf(run.recipe, static_cast<int>(run.classes.size())), unused,
                         at::kCPU);
  for (const auto& [name, tensor] : weightsOf(vit)) {
    copyTensor(checkpoint, (run.recipe.average > 0 ? "average." : "model.") + name, tensor,
               line.checkpoint_to_export);
  }
  writeModelFolder(line.output, run.recipe, run.classes, weightsOf(vit), weightType(line));
  if (!line.quiet) fmt::print("{}: model after {} steps\n", line.output, checkpoint.step);
  return 0;
}

void useThreads(int threads) {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  at::set_num_threads(threads > 0 ? threads : cores);
}

int measureImportance(const CommandLine& line, const std::stop_token& stop) {
  cli::Terminal terminal(line.quiet, kProgram);
  cli::requireWritableFile(line.output);
  const LoadedModel model = loadModel(line.model_to_measure, {}, terminal.callback(), stop);
  const Dataset data = Dataset::open(line.data, model.info, {.training = true}, stop)
                           .sample(static_cast<std::size_t>(line.recipe.limit),
                                   static_cast<unsigned>(line.recipe.seed))
                           .shuffled();
  for (const std::string& note : data.notes()) terminal.warn(note);
  useThreads(line.threads);
  Importance importance =
      gradientImportance(model, data, parseDevice(line.device), terminal.callback(), stop);
  importance.source = std::filesystem::path(line.data).lexically_normal().string();
  writeImportance(importance, line.output);
  terminal.clearBar();
  if (!line.quiet) {
    fmt::print("{}: importance of {} patches in {} blocks from {} images\n", line.output,
               model.info.vit.patchTokens(), importance.depth, importance.images);
  }
  return 0;
}

int makeCompensator(CommandLine line, const std::stop_token& stop) {
  cli::Terminal terminal(line.quiet, kProgram);
  const std::filesystem::path file = line.output;
  if (file.extension() != ".safetensors") {
    throw Error(
        fmt::format("{}: a compensator is a .safetensors file, so -o ends in that", file.string()));
  }
  cli::requireWritableFile(line.output);
  const at::Device device = parseDevice(line.device);
  if (line.recipe.dtype == "auto") line.recipe.dtype = fastestDtype(device);
  const LoadedModel model = loadModel(line.model_to_compensate, {}, terminal.callback(), stop);
  const TrainableVit network = trainableVit(model, device);
  useThreads(line.threads);
  Random random(line.recipe.seed);
  const TrainingData data =
      readTrainingData(line.data, {}, line.recipe, random, terminal.callback(), stop);
  for (const std::string& note : data.notes) terminal.warn(note);
  for (const std::string& problem : data.problems) terminal.warn(problem);

  CompensatorOptions options{.file = file, .device = device};
  int done = 0;
  options.on_epoch = [&](int epoch, double loss) {
    done = epoch;
    if (line.quiet) return;
    terminal.clearBar();
    fmt::print("epoch {} of {}: KL divergence {:.5f}\n", epoch, line.recipe.epochs, loss);
    std::fflush(stdout);
  };
  std::vector<CompensatorGain> gains;
  try {
    gains = trainCompensator(network, model.info.preprocessing, data, line.recipe,
                             std::move(random), options, terminal.callback(), stop);
  } catch (const Cancelled&) {
    terminal.error(done == 0 ? "interrupted before the first epoch was done; nothing was written"
                             : fmt::format("interrupted; {} holds what {} of {} epochs made",
                                           file.string(), done, line.recipe.epochs));
    return 1;
  }
  terminal.clearBar();
  for (const CompensatorGain& gain : gains) {
    if (line.quiet) break;
    fmt::print("r {}: KL divergence from the unmerged model {:.5f}, {:.5f} without it\n", gain.r,
               gain.compensated, gain.plain);
  }
  if (!line.quiet) fmt::print("{}: the compensator\n", file.string());
  return data.problems.empty() ? 0 : 1;
}

/// What merges while a network is trained: with the statistics and by the rules of the model that
/// it begins with, where there is one. Null: nothing.
std::shared_ptr<const MergeMethod> mergingOf(const CommandLine& line, cli::Terminal& terminal,
                                             const std::stop_token& stop) {
  const MethodChoice choice{line.recipe.method, line.recipe.settings, line.statistics, false};
  if (choice.method == "none") return nullptr;
  const std::string label = fmt::format("--method {}", choice.method);
  const VitConfig vit = architectureOf(line.recipe, /*classes=*/1);
  std::shared_ptr<const MergeMethod> method;
  if (line.model_to_begin_with.empty()) {
    if (usesStatistics(choice) && choice.statistics == nullptr) {
      throw Error(fmt::format(
          "{}: its counts follow layer statistics, which come with a model to begin with (--init) "
          "or in a file (stats=FILE); with adaptive=off they follow r alone",
          label));
    }
    requireSettingsSuit(choice, vit, "the network", /*strict=*/true);
    method =
        findMethodEntry(choice.method)
            .make(completeSettings(choice, vit), {vit, choice.statistics.get(), "the network"});
  } else {
    const Engine engine =
        Engine::load(line.model_to_begin_with, {.device = "cpu", .dtype = "float32"}, {}, stop);
    const auto prepared = std::make_shared<const PreparedMethod>(engine.prepare(choice, stop));
    for (const std::string& warning : prepared->state().warnings) terminal.warn(warning);
    method = {prepared, prepared->state().method.get()};
  }
  requireTrainable(*method, vit, label);
  return method;
}

/// What would end the run hours later is said before it begins.
void requireOutput(const CommandLine& line) {
  cli::requireWritableFolder(line.output);
  requireModelFolder(line.model());
  std::error_code code;
  const bool begun = std::filesystem::exists(line.checkpoint(), code);
  if (begun && !line.resume) {
    throw Error(fmt::format(
        "{}: a run was begun here; --resume goes on with it, another --output begins a new one",
        line.checkpoint().string()));
  }
  if (!begun && line.resume) {
    throw Error(
        fmt::format("{}: there is no checkpoint to go on from; without --resume training "
                    "begins",
                    line.checkpoint().string()));
  }
}

int train(CommandLine line, const std::stop_token& stop) {
  cli::Terminal terminal(line.quiet, kProgram);
  useThreads(line.threads);
  const at::Device device = parseDevice(line.device);
  if (line.recipe.dtype == "auto") line.recipe.dtype = fastestDtype(device);
  requireOutput(line);
  std::optional<LoadedModel> start;
  if (!line.model_to_begin_with.empty()) {
    start = loadModel(line.model_to_begin_with, {}, terminal.callback(), stop);
    takeShape(line.recipe, start->info, line.shape);
    requireUsable(line.recipe);
  }
  const std::shared_ptr<const MergeMethod> method = mergingOf(line, terminal, stop);
  const OutputLock lock(line.checkpoint(), "training run");

  Random random(line.recipe.seed);
  const TrainingData data =
      readTrainingData(line.data, line.test, line.recipe, random, terminal.callback(), stop);
  for (const std::string& note : data.notes) terminal.warn(note);
  for (const std::string& problem : data.problems) terminal.warn(problem);

  Trainer::Options options{.checkpoint = line.checkpoint(),
                           .log = line.log(),
                           .device = device,
                           .checkpoint_every = line.checkpoint_every,
                           .weights = {},
                           .method = method};
  options.on_row = [&](const LogRow& row) {
    if (line.quiet || !row.accuracy) return;
    terminal.clearBar();
    fmt::print("epoch {} of {}: loss {:.4f}, accuracy {:.2f} % of {} images\n", row.epoch,
               line.recipe.epochs, row.loss, *row.accuracy, data.test.size());
    std::fflush(stdout);
  };
  if (start) {
    std::string note;
    options.weights = weightsFor(*start, data.classes, note);
    if (!note.empty()) terminal.warn(note);
    start.reset();
  }
  Trainer trainer(line.recipe, data, random, options);
  if (line.resume) trainer.resume();
  // The step in hand is finished, and a checkpoint written.
  const UnsavedWork until_kept;
  try {
    trainer.run(terminal.callback(), stop);
  } catch (const Cancelled&) {
    terminal.error(
        fmt::format("interrupted after step {} of {}; the same command with --resume "
                    "goes on",
                    trainer.step(), trainer.steps()));
    return 1;
  }
  writeModelFolder(line.model(), line.recipe, data.classes, weightsOf(trainer.model()),
                   weightType(line));
  terminal.clearBar();
  if (!line.quiet)
    fmt::print("{}: the model, after {} steps\n", line.model().string(), trainer.step());
  if (data.problems.empty()) return 0;
  const std::size_t all = data.problems.size() + data.training.size() + data.test.size();
  terminal.error(fmt::format("{} of {} images could not be read and were left out",
                             data.problems.size(), all));
  return 1;
}

int run(int argc, char** argv) {
  const cli::InterruptWatcher interrupts(kProgram);
  cli::Terminal terminal(/*quiet=*/false, kProgram);
  CLI::App app("Trains a plain Vision Transformer on labelled images and makes a model folder.",
               kProgram);
  cli::addVersion(app);
  cli::addDocumentation(app);
  const CommandLineOptions options(app);
  keepFreedMemory();
  return interrupts.ended(cli::runProgram(app, argc, argv, terminal, [&] {
    const CommandLine line = options.read();
    if (!line.model_to_compensate.empty()) return makeCompensator(line, interrupts.token());
    if (!line.model_to_measure.empty()) return measureImportance(line, interrupts.token());
    return line.checkpoint_to_export.empty() ? train(line, interrupts.token()) : exportModel(line);
  }));
}

}  // namespace
}  // namespace adamerge::training

int main(int argc, char** argv) { return adamerge::training::run(argc, argv); }
