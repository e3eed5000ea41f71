// SPDX-License-Identifier: GPL-3.0-or-later
// Threads that help with one piece of work after another. A forward pass has some hundred of them,
// each shorter than a sleeping thread takes to wake, so whoever has none looks out for the next one
// for a moment before it sleeps. (OpenMP's threads do either only by an environment variable.)
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace adamerge {

class WorkerTeam {
 public:
  /// `start` is run by each new thread.
  explicit WorkerTeam(std::function<void()> start);
  /// Waits for the work in hand and for the threads to end.
  ~WorkerTeam();
  WorkerTeam(const WorkerTeam&) = delete;
  WorkerTeam& operator=(const WorkerTeam&) = delete;

  /// Runs work(0) on the calling thread and, as far as they are awake in time, work(1), work(2),
  /// ... on up to `helpers` others, always the same thread for the same number; returns when nobody
  /// runs it any more. work() must share out its parts by itself and throw nothing. While another
  /// caller has the team, runs work(0) alone.
  void run(int helpers, const std::function<void(int)>& work);

 private:
  /// Closed: nobody may join. Open: the number that have joined, and are to leave again.
  static constexpr int kClosed = 1 << 30;

  void hire(int count);
  void serve(int index);
  bool join(int index);
  void leave();

  std::function<void()> start_;
  std::mutex mutex_;  ///< held by the caller whose work is being done
  std::vector<std::thread> threads_;
  std::atomic<int> summons_ = 0;  ///< grows with every piece of work
  std::atomic<bool> stopping_ = false;
  std::atomic<int> joined_ = kClosed;
  int helpers_ = 0;                                 ///< written only while closed
  const std::function<void(int)>* work_ = nullptr;  ///< likewise
};

}  // namespace adamerge
