// SPDX-License-Identifier: GPL-3.0-or-later
#include <vector>

#include "commands.h"
#include "documentation.h"
#include "program.h"
#include "rank_group.h"
#include "terminal.h"

namespace adamerge::cli {
namespace {

int run(int argc, char** argv) {
  const InterruptWatcher interrupts("adamerge");
  Terminal terminal(/*quiet=*/false);
  // Of one command line, one rank says what is wrong with it.
  if (isLaterRank()) terminal.mute();
  CLI::App app(
      "Token merging for Vision Transformers, layer by layer: AdaMerge, ToMe, PiToMe, ToFu, "
      "DSM.",
      "adamerge");
  app.require_subcommand(1);
  addVersion(app, mpiVersion());
  addDocumentation(app);
  const std::vector<Command> commands = {
      infoCommand(app),     inspectCommand(app),  calibrateCommand(app),
      evaluateCommand(app), picturesCommand(app), benchCommand(app),
      scheduleCommand(app), modelsCommand(app),   thumbnailCommand(app)};
  const int status = runProgram(app, argc, argv, terminal, [&] {
    int status = 0;
    for (const Command& command : commands) {
      if (command.app->parsed()) status = command.run(interrupts.token());
    }
    return status;
  });
  return interrupts.ended(isLaterRank() ? 0 : status);
}

}  // namespace
}  // namespace adamerge::cli

int main(int argc, char** argv) { return adamerge::cli::run(argc, argv); }
