// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <memory>

#include "adamerge/calibrate.h"
#include "adamerge/report.h"
#include "commands.h"
#include "input_images.h"
#include "options.h"
#include "output_files.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

constexpr std::size_t kDefaultImages = 64;

struct ScheduleOptions {
  EngineChoice engine;
  MethodOptions method;
  double flops = 0;
  std::string images;
  std::size_t limit = kDefaultImages;
  std::string json;
};

int run(const ScheduleOptions& options, const std::stop_token& stop) {
  Terminal terminal(options.engine.quiet());
  const MethodChoice choice = options.method.choice();
  if (compressionKnob(choice) == nullptr) {
    throw UsageError(fmt::format(
        "--method {}: it has no count to choose under these settings, so its FLOPs are fixed",
        choice.method));
  }
  requireWritable(options.json);
  const Engine engine = options.engine.load(terminal, stop);
  requireSettingsSuit(choice, engine.info().vit, engine.info().name, /*strict=*/true);
  const std::filesystem::path folder =
      options.images.empty() ? bundled("resources/samples") : std::filesystem::path(options.images);
  ImageSource images =
      openImages(folder, options.limit, options.engine.seed(), engine, terminal, stop);
  const std::vector<InputTensor> inputs = images.readAll(stop);
  const SchedulePoint point =
      matchFlops(engine, inputs, choice, options.flops, terminal.callback(), stop);

  if (!point.calibrated) {
    terminal.warn(
        fmt::format("no layer statistics fit these settings, so every block merges half of {}; "
                    "calibrate first",
                    point.key));
  }
  if (std::abs(point.flops.paper - options.flops) > 0.02 * options.flops) {
    terminal.warn(fmt::format("{} {} is the nearest to {:.3f} G, with {:.3f} G",
                              optionName(point.key), point.value, options.flops,
                              point.flops.paper));
  }
  if (options.json != "-") {
    fmt::print("{} {}: {:.3f} G ({:.1f} % of {:.3f} G; total convention {:.3f} G){}\n",
               optionName(point.key), point.value, point.flops.paper,
               100 * point.flops.paper / point.unmerged, point.unmerged, point.flops.total,
               point.images > 1 ? fmt::format(", mean of {} images", point.images) : "");
    fmt::print("tokens per block: {:.1f}\n", fmt::join(point.tokens_per_block, " "));
  }
  if (!options.json.empty()) {
    writeOutput(options.json, scheduleJson(engine, choice, options.flops, point));
  }
  return images.skipped() == 0 ? 0 : 1;
}

}  // namespace

Command scheduleCommand(CLI::App& app) {
  auto options = std::make_shared<ScheduleOptions>();
  CLI::App* command = app.add_subcommand(
      "schedule", "The setting (r, r_max or ratio) whose FLOPs come nearest to a target");
  takesPositiveNumber(
      *command->add_option("--flops", options->flops, "Target in G, paper convention")
           ->type_name("G")
           ->required());
  takesText(*command->add_option("--images", options->images,
                                 "Image or folder to measure on, where the method's count depends "
                                 "on the image (default: the bundled samples)"),
            "PATH");
  takesWholeNumber(*command->add_option("--limit", options->limit,
                                        fmt::format("Images measured, drawn at random (default {})",
                                                    kDefaultImages)),
                   1);
  takesText(*command->add_option("--json", options->json,
                                 "Write the result as JSON; - is standard output"),
            "FILE");
  options->engine.addTo(*command);
  options->method.addTo(*command, "adamerge", {"r", "r_max", "ratio"});
  return {command, [options](const std::stop_token& stop) { return run(*options, stop); }};
}

}  // namespace adamerge::cli
