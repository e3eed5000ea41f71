// SPDX-License-Identifier: GPL-3.0-or-later
// Decodes and preprocesses images ahead of the engine, on threads of its own. Memory holds what was
// requested and not yet taken.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "adamerge/dataset.h"
#include "adamerge/result.h"

namespace adamerge {

/// Consecutive images.
struct BatchRange {
  std::size_t first = 0;
  std::size_t count = 0;
};

struct PreparedBatch {
  BatchRange range;
  std::vector<InputTensor> inputs;  ///< of the images that could be read
  /// One per image: why it could not be read; nullopt: it is the next of `inputs`.
  std::vector<std::optional<std::string>> problems;
};

class PreparedBatches {
 public:
  /// `dataset` must outlive this.
  PreparedBatches(const Dataset& dataset, const Preprocessing& preprocessing, int threads);
  ~PreparedBatches();
  PreparedBatches(const PreparedBatches&) = delete;
  PreparedBatches& operator=(const PreparedBatches&) = delete;

  void request(const BatchRange& range);
  /// In the order of the requests; waits for one. May be called by several threads. Throws
  /// Cancelled, and what a decoder threw but Error.
  PreparedBatch next(const std::stop_token& stop);

 private:
  void work(const std::stop_token& stop);
  PreparedBatch prepare(const BatchRange& range, const std::stop_token& stop) const;

  const Dataset& dataset_;
  const Preprocessing preprocessing_;
  std::mutex mutex_;  ///< of what follows
  std::condition_variable_any changed_;
  std::deque<BatchRange> to_prepare_;
  std::deque<std::size_t> to_give_;             ///< first images
  std::map<std::size_t, PreparedBatch> ready_;  ///< by first image
  std::exception_ptr failure_;
  std::vector<std::jthread> threads_;
};

}  // namespace adamerge
