// SPDX-License-Identifier: GPL-3.0-or-later
// How long work reports how far it is, and how it is asked to stop.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>

#include "adamerge/error.h"

namespace adamerge {

/// One report of a long task; `done` of `total` steps of `stage` are finished.
struct Progress {
  std::string_view stage;
  std::int64_t done = 0;
  std::int64_t total = 0;
};

/// Called from the working thread, often; must return quickly. An empty function is allowed.
using ProgressCallback = std::function<void(const Progress&)>;

/// Throws Cancelled once the token is asked to stop.
inline void throwIfStopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Cancelled();
}

}  // namespace adamerge
