// SPDX-License-Identifier: GPL-3.0-or-later
// One function a command: declares its options on `app` and returns what to run once they are
// parsed. The returned function gives the exit status; it throws Error and UsageError. `words`:
// those after the program's name, which outlive it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>
#include <stop_token>
#include <string>

namespace adamerge::cli {

struct Command {
  CLI::App* app;
  std::function<int(const std::stop_token& stop)> run;
};

Command infoCommand(CLI::App& app);
Command inspectCommand(CLI::App& app);
Command calibrateCommand(CLI::App& app);
Command evaluateCommand(CLI::App& app, std::span<const std::string> words);
Command benchCommand(CLI::App& app, std::span<const std::string> words);
Command picturesCommand(CLI::App& app);
Command scheduleCommand(CLI::App& app);
Command modelsCommand(CLI::App& app);
Command thumbnailCommand(CLI::App& app);

/// The program `adamerge`: its exit status.
int adamergeProgram(int argc, char** argv);

}  // namespace adamerge::cli
