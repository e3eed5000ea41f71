// SPDX-License-Identifier: GPL-3.0-or-later
// How hard an evaluation may work the machine: all of it, but never before what somebody waits for.
#pragma once

#include <cstddef>

namespace adamerge {
class Engine;
}

namespace adamerge::ui {

/// Everything else on the machine goes before this thread and those it starts from now on,
/// LibTorch's among them: a slider that is moved meanwhile is answered as if nothing ran beside it.
void yieldToOthers();

/// Batches at the same time: a second one keeps the cores busy where the first has nothing for all.
int backgroundLanes(const Engine& engine);
/// Images of a batch: few on a CPU, so that stopping is prompt and loses little.
std::size_t backgroundBatch(const Engine& engine);

}  // namespace adamerge::ui
