// SPDX-License-Identifier: GPL-3.0-or-later
// What is measured; each part in a process of its own, so that none finds what another has warmed.
#pragma once

#include "bench_window.h"

namespace adamerge::ui {

/// The program's own start, to the first result on the screen. `spawned`: when its process was
/// asked for.
void measureStart(FrameWatch& watch, const Subject& subject, Clock::time_point spawned);
/// Moves of the compression slider; `target` in ms.
void measureSlider(FrameWatch& watch, const Subject& subject, double target);
/// Block, overlay, zoom and pointer: what needs no new result.
void measureView(FrameWatch& watch, const Subject& subject);
/// What the process takes while the slider moves `moves` times.
void measureMemory(FrameWatch& watch, const Subject& subject, int moves);

}  // namespace adamerge::ui
