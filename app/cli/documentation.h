// SPDX-License-Identifier: GPL-3.0-or-later
// What packages need of a program's own help: manual pages and completions.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace adamerge::cli {

/// Hidden options: --man prints the program's manual page (roff), --bash-completion what bash
/// completes its command lines by.
void addDocumentation(CLI::App& app);

std::string manPage(const CLI::App& app);
std::string bashCompletion(const CLI::App& app);

}  // namespace adamerge::cli
