// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <exception>
#include <vector>

#include "adamerge/engine.h"
#include "commands.h"
#include "terminal.h"
#include "usage_error.h"

namespace adamerge::cli {
namespace {

enum ExitStatus { kDone = 0, kFailed = 1, kWrongUsage = 2 };

std::string versionText() {
  const std::vector<Device> devices = availableDevices();
  std::string cuda = "CUDA not usable";
  if (devices.size() > 1) cuda = fmt::format("CUDA usable, {} device(s)", devices.size() - 1);
  return fmt::format("adamerge {}, {}, {}", ADAMERGE_VERSION, torchVersion(), cuda);
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
                                         calibrateCommand(app), scheduleCommand(app)};
  try {
    app.parse(argc, argv);
    for (const Command& command : commands) {
      if (command.app->parsed()) return command.run(interrupts.token());
    }
    return kWrongUsage;
  } catch (const CLI::Success& request) {
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    terminal.error(fmt::format("{} (see adamerge --help)", error.what()));
    return kWrongUsage;
  } catch (const UsageError& error) {
    terminal.error(error.what());
    return kWrongUsage;
  } catch (const Cancelled&) {
    terminal.error("interrupted");
    return kFailed;
  } catch (const std::bad_alloc&) {
    terminal.error("not enough memory");
    return kFailed;
  } catch (const std::exception& error) {
    terminal.error(error.what());
    return kFailed;
  }
}

}  // namespace
}  // namespace adamerge::cli

int main(int argc, char** argv) { return adamerge::cli::run(argc, argv); }
