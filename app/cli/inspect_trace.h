// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "figure_writer.h"
#include "terminal.h"

namespace adamerge::cli {

/// `inspect` on traces: what they hold in words, figures and JSON (`json`: a file, - or empty).
/// Returns the exit status. Throws UsageError, Error.
int inspectTraces(const std::vector<std::string>& files, FigureOptions& figures,
                  const std::string& json, Terminal& terminal, const std::stop_token& stop);

}  // namespace adamerge::cli
