// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/background_pace.h"

#include <sys/resource.h>
#include <unistd.h>

#include "adamerge/engine.h"

namespace adamerge::ui {
namespace {

constexpr int kNiceness = 10;

bool onCpu(const Engine& engine) { return engine.device() == "cpu"; }

}  // namespace

void yieldToOthers() {
  // Of a thread id Linux changes that thread alone. Where it is refused, work goes on as it was.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness);
}

int backgroundLanes(const Engine& engine) { return onCpu(engine) ? 2 : 1; }

std::size_t backgroundBatch(const Engine& engine) { return onCpu(engine) ? 2 : 16; }

}  // namespace adamerge::ui
