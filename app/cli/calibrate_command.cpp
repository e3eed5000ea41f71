// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <memory>

#include "adamerge/calibrate.h"
#include "adamerge/evaluate.h"
#include "adamerge/importance.h"
#include "commands.h"
#include "input_images.h"
#include "options.h"
#include "output_files.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

struct CalibrateOptions {
  EngineChoice engine;
  MethodOptions method;
  std::string folder;
  std::string r_max;
  std::string ratio;
  std::string output;
  int passes = 2;
  std::size_t limit = 0;
};

/// "photos, 500 images drawn with seed 0".
std::string sourceOf(const CalibrateOptions& options, const ImageSource& images) {
  return fmt::format(
      "{}, {} images{}", std::filesystem::path(options.folder).lexically_normal().string(),
      images.size(),
      options.limit > 0 ? fmt::format(" drawn with seed {}", options.engine.seed()) : "");
}

/// The exit status.
int finish(const ImageSource& images, Terminal& terminal) {
  if (images.skipped() == 0) return 0;
  terminal.error(fmt::format("{} of {} images could not be read and were left out",
                             images.skipped(), images.size()));
  return 1;
}

int runImportance(const CalibrateOptions& options, Terminal& terminal,
                  const std::stop_token& stop) {
  if (!options.r_max.empty()) {
    throw UsageError("--r-max: prune-merge is laid out by importance, which hangs on no count");
  }
  requireWritableFile(options.output);
  const Engine engine = options.engine.load(terminal, stop);
  ImageSource images =
      openImages(options.folder, options.limit, options.engine.seed(), engine, terminal, stop);
  const auto read = [&](std::size_t first, std::size_t count) {
    return images.read(first, count, stop);
  };
  Importance importance = measureImportance(engine, read, images.size(), terminal.callback(), stop);
  importance.source = sourceOf(options, images);
  writeImportance(importance, options.output);
  if (!options.engine.quiet()) {
    fmt::print("{}: importance of {} patches in {} blocks from {} images\n", options.output,
               importance.scores.front().size(), importance.depth, importance.images);
  }
  return finish(images, terminal);
}

int run(const CalibrateOptions& options, const std::stop_token& stop) {
  Terminal terminal(options.engine.quiet());
  CalibrationOptions calibration;
  calibration.choice = options.method.choice();
  if (usesImportance(calibration.choice)) return runImportance(options, terminal, stop);
  const std::string key = options.ratio.empty() ? "r_max" : "ratio";
  if (!options.ratio.empty() && !options.r_max.empty()) {
    throw UsageError("--r-max and --ratio are for different networks: one of them is expected");
  }
  calibration.r_max = asUsage([&] {
    return parseCounts("--" + optionName(key), key == "ratio" ? options.ratio : options.r_max);
  });
  calibration.passes = options.passes;
  if (calibration.choice.statistics) {
    throw UsageError("--stats: calibrate makes statistics and reads none");
  }
  asUsage([&] { requireStatistics(calibration.choice); }, "there is nothing to calibrate: ");
  requireWritableFile(options.output);
  const Engine engine = options.engine.load(terminal, stop);
  if (engine.info().vit.restores() && key != "ratio") {
    throw UsageError(
        fmt::format("{} restores its grid in every block: its statistics are for "
                    "--ratio, in per cent, as 25,50,75",
                    engine.info().name));
  }
  requireSettingsSuit(calibration.choice, engine.info().vit, engine.info().name, /*strict=*/true);
  // A count that the model cannot merge is said before any image is read.
  MethodChoice largest = calibration.choice;
  largest.settings[key] = std::int64_t{calibration.r_max.back()};
  requireSettingsSuit(largest, engine.info().vit, engine.info().name, /*strict=*/true);
  engine.prepare(largest);
  ImageSource images =
      openImages(options.folder, options.limit, options.engine.seed(), engine, terminal, stop);
  calibration.source = sourceOf(options, images);
  calibration.warn = [&](const std::string& warning) { terminal.warn(warning); };
  const auto read = [&](std::size_t first, std::size_t count) {
    return images.read(first, count, stop);
  };
  const Statistics statistics =
      calibrate(engine, read, images.size(), calibration, terminal.callback(), stop);
  writeStatistics(statistics, options.output);
  if (!options.engine.quiet()) {
    fmt::print("{}: statistics of {} blocks for {} values of {} from {} images, {} passes\n",
               options.output, statistics.depth, statistics.entries.size(), statistics.knob,
               statistics.images, statistics.passes);
  }
  return finish(images, terminal);
}

}  // namespace

Command calibrateCommand(CLI::App& app) {
  auto options = std::make_shared<CalibrateOptions>();
  CLI::App* command = app.add_subcommand(
      "calibrate",
      "What a method measures on a folder of images beforehand: layer statistics (mu, sigma of the "
      "redundancy), for prune-merge how much each patch matters");
  command->add_option("folder", options->folder, "Images at any depth, or CIFAR-10's binary files")
      ->required();
  command
      ->add_option("--r-max", options->r_max,
                   "As 8,12,16 or 1:23 or 1:23:2; needed for layer statistics")
      ->type_name("LIST");
  command
      ->add_option("--ratio", options->ratio,
                   "The same in per cent, for networks that restore their grid in every block "
                   "(Segment Anything)")
      ->type_name("LIST");
  takesWholeNumber(
      *command->add_option("--passes", options->passes, "Passes over the images (default 2)"), 1,
      100);
  takesWholeNumber(*command->add_option("--limit", options->limit,
                                        "Use N images, drawn at random (default: all)"),
                   1);
  takesText(*command
                 ->add_option("-o,--output", options->output,
                              "The file to write, usually stats.json, for prune-merge "
                              "prune-merge.json")
                 ->required(),
            "FILE");
  options->engine.addTo(*command);
  options->method.addTo(*command, "adamerge", {"r_max", "ratio"});
  return {command, [options](const std::stop_token& stop) { return run(*options, stop); }};
}

}  // namespace adamerge::cli
