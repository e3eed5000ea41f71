// SPDX-License-Identifier: GPL-3.0-or-later
// A workbench with the bundled model and a sample picture, as the window would have it.
#pragma once

#include <string>

#include "bench/workbench.h"

namespace adamerge::ui::test {

/// Waits until the active pane's result is that of its choice.
bool settle(Workbench& workbench);

/// Loads the bundled model; fails the test where that does not come to pass.
bool loadModel(Workbench& workbench);

/// loadModel(), a sample, and the first result.
bool makeReady(Workbench& workbench, const std::string& sample = "bird");

}  // namespace adamerge::ui::test
