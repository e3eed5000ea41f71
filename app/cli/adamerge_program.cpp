// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <string>
#include <vector>

#include "commands.h"
#include "documentation.h"
#include "program.h"
#include "rank_group.h"
#include "terminal.h"

namespace adamerge::cli {

int adamergeProgram(int argc, char** argv) {
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
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
  const std::vector<Command> commands = {infoCommand(app),      inspectCommand(app),
                                         calibrateCommand(app), evaluateCommand(app, words),
                                         picturesCommand(app),  benchCommand(app, words),
                                         scheduleCommand(app),  modelsCommand(app),
                                         thumbnailCommand(app)};
  const int status = runProgram(app, argc, argv, terminal, [&] {
    int status = 0;
    for (const Command& command : commands) {
      if (command.app->parsed()) status = command.run(interrupts.token());
    }
    return status;
  });
  return interrupts.ended(isLaterRank() ? 0 : status);
}

}  // namespace adamerge::cli
