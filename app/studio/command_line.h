// SPDX-License-Identifier: GPL-3.0-or-later
// adamerge-studio's command line.
#pragma once

#include <optional>

#include "window/start.h"

namespace adamerge::studio {

struct CommandLine {
  ui::StartOptions options;
  /// Set where there is nothing to start: help was shown (0), or the line is wrong (2).
  std::optional<int> exit_status;
};

/// Prints help and errors itself.
CommandLine readCommandLine(int argc, char** argv);

}  // namespace adamerge::studio
