// SPDX-License-Identifier: GPL-3.0-or-later
// What packages need of a program's own help: manual pages and completions.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace adamerge::cli {

/// Hidden options: --man prints the program's manual page (roff); --bash-completion,
/// --zsh-completion and --fish-completion what these shells complete its command lines by.
void addDocumentation(CLI::App& app);

std::string manPage(const CLI::App& app);
std::string bashCompletion(const CLI::App& app);
std::string zshCompletion(const CLI::App& app);
std::string fishCompletion(const CLI::App& app);

/// Those that help lists: hidden options have no group.
std::vector<const CLI::Option*> shownOptions(const CLI::App& app);
std::vector<const CLI::App*> commandsOf(const CLI::App& app);
bool takesValue(const CLI::Option& option);

}  // namespace adamerge::cli
