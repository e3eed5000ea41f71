// SPDX-License-Identifier: GPL-3.0-or-later
// One thread that runs jobs, the most urgent first. Everything that runs the engine goes through
// one worker, so that LibTorch's own threads never fight each other.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace adamerge::ui {

enum class Urgency {
  kInteractive,  ///< somebody waits for the picture
  kFollowUp,     ///< other panes, matching of FLOPs
  kBackground    ///< sweeps, calibration
};

class Worker {
 public:
  /// Runs on the worker's thread; must return soon after the token asks it to stop (throwing
  /// Cancelled is fine). Other exceptions must not leave it.
  using Job = std::function<void(const std::stop_token&)>;

  Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  /// Stops the running job, drops the waiting ones, joins.
  ~Worker();

  /// Newest wins: a waiting job of the same key is dropped, a running one is asked to stop.
  /// A more urgent job also interrupts a running less urgent one, which then runs again from its
  /// beginning: background jobs are short steps that submit the next step themselves.
  void submit(const std::string& key, Urgency urgency, Job job);
  /// Drops a waiting job of that key and asks a running one to stop.
  void cancel(const std::string& key);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adamerge::ui
