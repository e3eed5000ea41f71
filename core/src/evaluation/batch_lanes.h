// SPDX-License-Identifier: GPL-3.0-or-later
// Batches through every choice, several at the same time, on threads of their own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

#include "evaluation/prepared_batches.h"
#include "evaluation/tally.h"

namespace adamerge {

struct CountedBatch {
  std::size_t first = 0;
  Tally tally;
};

/// Given to and taken from by one thread.
class BatchLanes {
 public:
  /// The first of `choices` is the unmerged model. All three must outlive this.
  BatchLanes(const Engine& engine, const Dataset& dataset,
             std::span<const EvaluationChoice> choices, const EvaluationOptions& options);
  ~BatchLanes();
  BatchLanes(const BatchLanes&) = delete;
  BatchLanes& operator=(const BatchLanes&) = delete;

  std::size_t lanes() const { return threads_.size(); }
  /// Batches to be given before one is taken, so that no thread has to wait.
  std::size_t window() const { return window_; }
  bool hasRoom() const { return outstanding_ < window_; }
  void give(const BatchRange& range);
  /// What is finished, in any order; waits for it, at most so long. Throws Cancelled on `stop`, and
  /// what a thread threw.
  std::vector<CountedBatch> take(std::optional<std::chrono::milliseconds> at_most,
                                 const std::stop_token& stop);

 private:
  void work(const std::stop_token& stop);
  CountedBatch compute(const PreparedBatch& batch, const std::stop_token& stop) const;

  const Engine& engine_;
  const Dataset& dataset_;
  const std::span<const EvaluationChoice> choices_;
  const std::size_t window_;
  std::size_t outstanding_ = 0;
  PreparedBatches prepared_;
  std::mutex mutex_;  ///< of what follows
  std::condition_variable_any changed_;
  std::vector<CountedBatch> finished_;
  std::exception_ptr failure_;
  std::vector<std::jthread> threads_;
};

}  // namespace adamerge
