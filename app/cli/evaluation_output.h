// SPDX-License-Identifier: GPL-3.0-or-later
// What `evaluate` prints: its table, and how it ended.
#pragma once

#include <span>
#include <string>

#include "adamerge/evaluate.h"
#include "terminal.h"

namespace adamerge::cli {

/// An evaluation for people: one line per point, and what the columns mean.
std::string evaluationTable(const Evaluation& evaluation);

/// The command as it could be typed again, of the `words` after the program's name; `ranks` 0:
/// without mpirun.
std::string commandLine(std::span<const std::string> words, int ranks);

/// Both return the exit status. `state`: the file that holds what is done; empty: none does.
int reportInterrupted(const Evaluation& evaluation, const std::string& state, Terminal& terminal);
int reportSkipped(const Evaluation& evaluation, Terminal& terminal);

/// Of another rank, when rank 0 cannot say it.
void reportLostLead(const std::string& state, Terminal& terminal);

}  // namespace adamerge::cli
