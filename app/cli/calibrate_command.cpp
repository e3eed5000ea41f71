// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <memory>

#include "commands.h"
#include "measured_images.h"
#include "options.h"

namespace adamerge::cli {
namespace {

struct CalibrateOptions {
  EngineChoice engine;
  CalibrationSubject subject;
};

int run(const CalibrateOptions& options, const std::stop_token& stop) {
  Terminal terminal(options.engine.quiet());
  options.subject.check();
  const Engine engine = options.engine.load(terminal, stop);
  const auto outcome = options.subject.run(engine, options.engine.seed(), terminal, stop);
  if (!options.engine.quiet()) fmt::print("{}\n", outcome.sentence);
  if (outcome.left_out.empty()) return 0;
  terminal.error(outcome.left_out);
  return 1;
}

}  // namespace

Command calibrateCommand(CLI::App& app) {
  auto options = std::make_shared<CalibrateOptions>();
  CLI::App* command = app.add_subcommand(
      "calibrate",
      "What a method measures on a folder of images beforehand: layer statistics (mu, sigma of the "
      "redundancy), for prune-merge how much each patch matters");
  options->subject.addTo(*command);
  options->engine.addTo(*command);
  return {command, [options](const std::stop_token& stop) { return run(*options, stop); }};
}

}  // namespace adamerge::cli
