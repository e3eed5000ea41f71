// SPDX-License-Identifier: GPL-3.0-or-later
// What `evaluate` says about how it ended.
#pragma once

#include <string>

#include "adamerge/evaluate.h"
#include "terminal.h"

namespace adamerge::cli {

/// The command as it could be typed again; `ranks` 0: without mpirun.
std::string commandLine(int ranks);

/// Both return the exit status. `state`: the file that holds what is done; empty: none does.
int reportInterrupted(const Evaluation& evaluation, const std::string& state, Terminal& terminal);
int reportSkipped(const Evaluation& evaluation, Terminal& terminal);

/// Of another rank, when rank 0 cannot say it.
void reportLostLead(const std::string& state, Terminal& terminal);

}  // namespace adamerge::cli
