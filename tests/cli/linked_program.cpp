// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli_runner.h"
#include "commands.h"

namespace adamerge::test {

static const LinkedProgram linked_program(&cli::adamergeProgram);

}  // namespace adamerge::test
