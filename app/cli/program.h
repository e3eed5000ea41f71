// SPDX-License-Identifier: GPL-3.0-or-later
// What the command line programs do alike around their work.
#pragma once

#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <string>

#include "terminal.h"

namespace adamerge::cli {

/// Adds --version: the program's, LibTorch's, whether CUDA is usable, and `more`.
void addVersion(CLI::App& app, const std::string& more = {});

/// Reads the command line, does `work` and returns the exit status: what that returned, 1 where it
/// failed, 2 for wrong usage; the reason is one sentence at the terminal.
int runProgram(CLI::App& app, int argc, char** argv, Terminal& terminal,
               const std::function<int()>& work);

/// The sentence for what ended the work.
std::string failureText(const std::exception& error);

}  // namespace adamerge::cli
