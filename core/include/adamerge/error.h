// SPDX-License-Identifier: GPL-3.0-or-later
// What the library throws. How long work reports how far it is, and how it is asked to stop.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>

namespace adamerge {

/// Something from outside (a file, a setting, the device) is not usable. what() is one sentence for
/// the user: it names the file or setting, says what is wrong and what would be right. What it
/// quotes of a stranger's file may hold line breaks and other control characters: they become
/// spaces.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string sentence);
};

/// The caller's std::stop_token asked for an end. Nothing was half-written.
class Cancelled : public std::runtime_error {
 public:
  Cancelled() : std::runtime_error("cancelled") {}
};

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
