// SPDX-License-Identifier: GPL-3.0-or-later
// Work off the UI thread, and the way its results come back.
#pragma once

#include <QObject>
#include <QString>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>

namespace adamerge::ui {

// One thread that runs jobs, the most urgent first. Everything that runs the engine goes through
// one worker, so that LibTorch's own threads never fight each other.

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

/// Draws small pictures and the like; the engine never waits for it.
std::shared_ptr<Worker> drawingWorker();

/// Work on a worker, with results for an object on the UI thread. Of each key the newest request
/// counts: what an older or a cancelled one tells is dropped, and everything once this is gone.
class Jobs {
 public:
  /// Runs `call` on the UI thread, later, where the job still counts.
  using Tell = std::function<void(std::function<void()> call)>;
  /// Runs on the worker's thread; must not hold the receiver but through `tell`.
  using Work = std::function<void(const std::stop_token& stop, const Tell& tell)>;
  /// What went wrong, in a sentence; on the UI thread.
  using Fail = std::function<void(const QString& message)>;

  /// Without `worker` on a thread of its own, for which the destructor waits.
  explicit Jobs(QObject* receiver, std::shared_ptr<Worker> worker = nullptr);
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;
  ~Jobs();

  void run(const std::string& key, Urgency urgency, Work work, Fail failed = {});
  void cancel(const std::string& key);
  const std::shared_ptr<Worker>& worker() const { return worker_; }

 private:
  struct Desk {
    std::mutex mutex;
    QObject* receiver;                            ///< nullptr: gone
    std::map<std::string, std::uint64_t> newest;  ///< by key; on the UI thread alone
  };
  std::shared_ptr<Desk> desk_;
  std::uint64_t given_ = 0;
  std::shared_ptr<Worker> worker_;
};

// Lets a thread of its own run the engine between the worker's jobs instead of beside them.

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
