// SPDX-License-Identifier: GPL-3.0-or-later
// Lets a thread of its own run the engine between the worker's jobs instead of beside them.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "compute/worker.h"

namespace adamerge::ui {

/// The worker is held by a background job while a turn lasts. More urgent jobs interrupt that, so
/// they wait for nobody; the next turn begins when they are done.
class Turn {
 public:
  Turn(std::shared_ptr<Worker> worker, std::string key);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  /// Ends the turn before and waits for the next. Throws Cancelled.
  void next(const std::stop_token& stop);

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable_any changed;
    unsigned turn = 0;  ///< the one that is wanted or lasts
    bool granted = false;
  };

  std::shared_ptr<Worker> worker_;
  std::string key_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace adamerge::ui
