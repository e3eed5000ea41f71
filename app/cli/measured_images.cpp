// SPDX-License-Identifier: GPL-3.0-or-later
#include "measured_images.h"

#include <fmt/format.h>

#include <algorithm>

#include "adamerge/calibrate.h"
#include "adamerge/error.h"
#include "adamerge/files.h"
#include "input_images.h"
#include "output_files.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

constexpr int kMostDecoders = 4;

/// "photos, 500 images drawn with seed 0".
std::string sourceOf(const std::string& folder, std::size_t limit, unsigned seed,
                     const ImageSource& images) {
  return fmt::format("{}, {} images{}", std::filesystem::path(folder).lexically_normal().string(),
                     images.size(), limit > 0 ? fmt::format(" drawn with seed {}", seed) : "");
}

/// `used` of them, in this run or in one that it goes on from.
std::string leftOut(const ImageSource& images, int used) {
  const std::size_t skipped = images.size() - static_cast<std::size_t>(used);
  if (skipped == 0) return {};
  return fmt::format("{} of {} images could not be read and were left out", skipped, images.size());
}

}  // namespace

void EvaluationSubject::addTo(CLI::App& command) {
  command
      .add_option("folder", folder_,
                  "A folder with one sub-folder per class, or CIFAR-10's binary files; with "
                  "--unlabelled any images")
      ->required();
  choices_.addTo(command);
  choices_.addSampleSizeTo(command);
  takesWholeNumber(
      *command.add_option("--limit", limit_, "Use N images, drawn at random (default: all)"), 1);
  takesWholeNumber(
      *command.add_option("--batch", batch_, fmt::format("Images at once (default {})", batch_)), 1,
      4096);
  CLI::Option* unlabelled = command.add_flag(
      "--unlabelled", dataset_.unlabelled,
      "No accuracy, but agreement with the unmerged model, on images at any depth");
  CLI::Option* labels = command.add_option("--labels", labels_,
                                           "Which class a folder holds: lines of FOLDER, a tab, "
                                           "comma, semicolon or space, and the class's "
                                           "name or index; of Excel and Kaggle, too");
  takesText(*labels, "FILE");
  labels->excludes(unlabelled);
}

Dataset EvaluationSubject::open(const ModelInfo& model, unsigned seed,
                                const std::stop_token& stop) const {
  DatasetOptions how = dataset_;
  how.labels = labels_;
  return Dataset::open(folder_, model, how, stop).sample(limit_, seed);
}

int EvaluationSubject::decoders(int threads) { return std::min(threads, kMostDecoders); }

void CalibrationSubject::addTo(CLI::App& command) {
  command.add_option("folder", folder_, "Images at any depth, or CIFAR-10's binary files")
      ->required();
  command
      .add_option("--r-max", r_max_, "As 8,12,16 or 1:23 or 1:23:2; needed for layer statistics")
      ->type_name("LIST");
  command
      .add_option("--ratio", ratio_,
                  "The same in per cent, for networks that restore their grid in every block "
                  "(Segment Anything, AFNO)")
      ->type_name("LIST");
  takesWholeNumber(*command.add_option("--passes", passes_, "Passes over the images (default 2)"),
                   1, 100);
  takesWholeNumber(
      *command.add_option("--limit", limit_, "Use N images, drawn at random (default: all)"), 1);
  takesText(*command
                 .add_option("-o,--output", output_,
                             "The file to write, usually stats.json, for prune-merge "
                             "prune-merge.json. Interrupted layer statistics are kept in "
                             "FILE.partial and go on from there")
                 ->required(),
            "FILE");
  method_.addTo(command, "adamerge", {"r_max", "ratio"});
}

std::vector<int> CalibrationSubject::counts() const {
  if (!ratio_.empty() && !r_max_.empty()) {
    throw UsageError("--r-max and --ratio are for different networks: one of them is expected");
  }
  const std::string& list = ratio_.empty() ? r_max_ : ratio_;
  if (list.empty()) {
    throw UsageError(
        "layer statistics are for counts: --r-max 8,12,16, or --ratio 25,50,75 in networks that "
        "restore their grid in every block, is expected");
  }
  return asUsage([&] { return parseCounts("--" + optionName(listed()), list); });
}

MethodChoice CalibrationSubject::choice() const {
  MethodChoice choice = method_.choice();
  if (usesImportance(choice)) {
    if (!r_max_.empty()) {
      throw UsageError("--r-max: prune-merge is laid out by importance, which hangs on no count");
    }
    return choice;
  }
  if (choice.statistics) {
    throw UsageError("--stats: calibrate makes statistics and reads none");
  }
  asUsage([&] { requireStatistics(choice); }, "there is nothing to calibrate: ");
  if (compressionKnob(choice)->calibratesOnce()) {
    if (r_max_.empty() && ratio_.empty()) return choice;
    throw UsageError(fmt::format("--{} is no setting of {}, whose statistics hang on no count",
                                 optionName(listed()), choice.method));
  }
  // A count that the model cannot merge is said before any image is read.
  choice.settings[listed()] = std::int64_t{counts().back()};
  return choice;
}

void CalibrationSubject::check() const {
  choice();
  requireWritableFile(output_);
}

CalibrationSubject::Outcome CalibrationSubject::run(const Engine& engine, unsigned seed,
                                                    Terminal& terminal,
                                                    const std::stop_token& stop) const {
  CalibrationOptions calibration;
  calibration.choice = choice();
  if (usesImportance(calibration.choice)) return runImportance(engine, seed, terminal, stop);
  const ModelInfo& model = engine.info();
  if (model.vit.restores() && ratio_.empty()) {
    throw UsageError(
        fmt::format("{} restores its grid in every block: its statistics are for "
                    "--ratio, in per cent, as 25,50,75",
                    model.name));
  }
  requireSettingsSuit(calibration.choice, model.vit, model.name, /*strict=*/true);
  engine.prepare(calibration.choice, stop);
  if (compressionKnob(calibration.choice)->calibratesOnce()) {
    const Settings complete = completeSettings(calibration.choice, model.vit);
    const std::string& key = compressionKnob(calibration.choice)->key;
    calibration.r_max = {static_cast<int>(std::get<std::int64_t>(complete.at(key)))};
  } else {
    calibration.choice.settings.erase(listed());
    calibration.r_max = counts();
  }
  calibration.passes = passes_;
  ImageSource images = openImages(folder_, limit_, seed, engine, terminal, stop);
  calibration.source = sourceOf(folder_, limit_, seed, images);
  calibration.warn = [&](const std::string& warning) { terminal.warn(warning); };
  const std::string kept = output_ + ".partial";
  const OutputLock lock(output_, "calibration");
  const Statistics statistics = [&] {
    try {
      return calibrate(engine, images, calibration, kept, terminal.callback(), stop);
    } catch (const Cancelled&) {
      std::error_code code;
      if (std::filesystem::exists(kept, code)) terminal.warn(goesOnBy(kept));
      throw;
    }
  }();
  writeStatistics(statistics, output_);
  removeFile(kept);
  return {fmt::format("{}: statistics of {} blocks for {} values of {} from {} images, {} passes",
                      output_, statistics.depth, statistics.entries.size(), statistics.knob,
                      statistics.images, statistics.passes),
          leftOut(images, statistics.images)};
}

CalibrationSubject::Outcome CalibrationSubject::runImportance(const Engine& engine, unsigned seed,
                                                              Terminal& terminal,
                                                              const std::stop_token& stop) const {
  ImageSource images = openImages(folder_, limit_, seed, engine, terminal, stop);
  const auto read = [&](std::size_t first, std::size_t count) {
    return images.read(first, count, stop);
  };
  Importance importance = measureImportance(engine, read, images.size(), terminal.callback(), stop);
  importance.source = sourceOf(folder_, limit_, seed, images);
  writeImportance(importance, output_);
  return {fmt::format("{}: importance of {} patches in {} blocks from {} images", output_,
                      importance.scores.front().size(), importance.depth, importance.images),
          leftOut(images, importance.images)};
}

}  // namespace adamerge::cli
