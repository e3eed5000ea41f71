// SPDX-License-Identifier: GPL-3.0-or-later
// Checks of option values that say which option it is and what it takes.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace adamerge::cli {

constexpr std::int64_t kLargestNumber = std::numeric_limits<std::int32_t>::max();

/// Each adds a check that throws UsageError, and the type's name in the help.
void takesWholeNumber(CLI::Option& option, std::int64_t minimum,
                      std::int64_t maximum = kLargestNumber);
void takesNumber(CLI::Option& option, double minimum, double maximum);
void takesPositiveNumber(CLI::Option& option);
/// Capitals, and hyphens for underscores, are of no matter: the option gets the name as listed.
void takesOneOf(CLI::Option& option, const std::vector<std::string>& choices);
/// auto, cpu, cuda or cuda:N; whether there is such a device shows later.
void takesDevice(CLI::Option& option);
/// Anything but an empty text; `type` names it: FILE, DIR.
void takesText(CLI::Option& option, const std::string& type);

/// What is wrong with a command line that CLI11 refused, and where help is.
std::string usageText(const CLI::App& program, const CLI::ParseError& error);

}  // namespace adamerge::cli
