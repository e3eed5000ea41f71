// SPDX-License-Identifier: GPL-3.0-or-later
#include "program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <new>
#include <vector>

#include "adamerge/engine.h"
#include "output_files.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

enum ExitStatus { kDone = 0, kFailed = 1, kWrongUsage = 2 };

/// As CLI11 takes them, the last first; --r_max and --R-Max mean --r-max, as settings are written
/// elsewhere.
std::vector<std::string> argumentsOf(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  for (std::string& argument : arguments) {
    if (argument == "--") break;
    if (!argument.starts_with("--")) continue;
    const auto end = argument.begin() +
                     static_cast<std::ptrdiff_t>(std::min(argument.find('='), argument.size()));
    std::transform(argument.begin(), end, argument.begin(), [](unsigned char letter) {
      return letter == '_' ? '-' : static_cast<char>(std::tolower(letter));
    });
  }
  std::reverse(arguments.begin(), arguments.end());
  return arguments;
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

}  // namespace

void addVersion(CLI::App& app, const std::string& more) {
  const auto text = [name = app.get_name(), more] {
    const std::vector<Device> devices = availableDevices();
    std::string cuda = "CUDA not usable";
    if (devices.size() > 1) cuda = fmt::format("CUDA usable, {} device(s)", devices.size() - 1);
    return fmt::format("{} {}, {}, {}{}{}", name, ADAMERGE_VERSION, torchVersion(), cuda,
                       more.empty() ? "" : ", ", more);
  };
  app.set_version_flag("--version", text, "Version, LibTorch's version, CUDA");
}

int runProgram(CLI::App& app, int argc, char** argv, Terminal& terminal,
               const std::function<int()>& work) {
  try {
    app.parse(argumentsOf(argc, argv));
    const int status = work();
    flushStandardOutput();
    return status;
  } catch (const CLI::ParseError& error) {
    return answer(app, error, terminal);
  } catch (const UsageError& error) {
    terminal.error(error.what());
    return kWrongUsage;
  } catch (const Cancelled&) {
    terminal.error("interrupted");
    return kFailed;
  } catch (const std::exception& error) {
    terminal.error(failureText(error));
    return kFailed;
  }
}

std::string failureText(const std::exception& error) {
  if (dynamic_cast<const Error*>(&error) != nullptr) return error.what();
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return "not enough memory";
  // A library's; LibTorch puts a stack trace below the first line.
  const std::string text = error.what();
  return "unexpected error: " + text.substr(0, text.find('\n'));
}

}  // namespace adamerge::cli
