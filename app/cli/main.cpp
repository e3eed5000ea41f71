// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <exception>
#include <vector>

#include "adamerge/engine.h"
#include "commands.h"
#include "output_files.h"
#include "terminal.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

enum ExitStatus { kDone = 0, kFailed = 1, kWrongUsage = 2 };

std::string versionText() {
  const std::vector<Device> devices = availableDevices();
  std::string cuda = "CUDA not usable";
  if (devices.size() > 1) cuda = fmt::format("CUDA usable, {} device(s)", devices.size() - 1);
  return fmt::format("adamerge {}, {}, {}", ADAMERGE_VERSION, torchVersion(), cuda);
}

/// Help, the version, or what is wrong with the command line.
int answer(const CLI::App& app, const CLI::ParseError& error, Terminal& terminal) {
  if (error.get_exit_code() != 0) {
    terminal.error(usageText(app, error));
    return kWrongUsage;
  }
  app.exit(error);
  try {
    flushStandardOutput();
  } catch (const Error& problem) {
    terminal.error(problem.what());
    return kFailed;
  }
  return kDone;
}

int run(int argc, char** argv) {
  const InterruptWatcher interrupts;
  Terminal terminal(/*quiet=*/false);
  CLI::App app(
      "Token merging for Vision Transformers, layer by layer: AdaMerge, ToMe, PiToMe, ToFu, "
      "DSM.",
      "adamerge");
  app.require_subcommand(1);
  app.set_version_flag("--version", versionText, "Version, LibTorch's version, CUDA");
  const std::vector<Command> commands = {infoCommand(app), inspectCommand(app),
                                         calibrateCommand(app), evaluateCommand(app),
                                         scheduleCommand(app)};
  try {
    app.parse(argc, argv);
    for (const Command& command : commands) {
      if (!command.app->parsed()) continue;
      const int status = command.run(interrupts.token());
      flushStandardOutput();
      return status;
    }
    return kWrongUsage;
  } catch (const CLI::ParseError& error) {
    return answer(app, error, terminal);
  } catch (const UsageError& error) {
    terminal.error(error.what());
    return kWrongUsage;
  } catch (const Cancelled&) {
    terminal.error("interrupted");
    return kFailed;
  } catch (const std::bad_alloc&) {
    terminal.error("not enough memory");
    return kFailed;
  } catch (const Error& error) {
    terminal.error(error.what());
    return kFailed;
  } catch (const std::exception& error) {
    // A library's; LibTorch puts a stack trace below the first line.
    const std::string text = error.what();
    terminal.error("unexpected error: " + text.substr(0, text.find('\n')));
    return kFailed;
  }
}

}  // namespace
}  // namespace adamerge::cli

int main(int argc, char** argv) { return adamerge::cli::run(argc, argv); }
