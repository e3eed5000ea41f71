// SPDX-License-Identifier: GPL-3.0-or-later
// Decodes and preprocesses images ahead of the engine, on threads of its own, a few batches at
// most.
#pragma once

#include <condition_variable>
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

struct PreparedBatch {
  std::size_t first = 0;
  std::size_t count = 0;
  std::vector<InputTensor> inputs;  ///< of the images that could be read
  /// One per image: why it could not be read; nullopt: it is the next of `inputs`.
  std::vector<std::optional<std::string>> problems;
};

class PreparedBatches {
 public:
  /// From image `first` to the end of `dataset`, which must outlive this.
  PreparedBatches(const Dataset& dataset, const Preprocessing& preprocessing, std::size_t first,
                  std::size_t batch, int threads);
  ~PreparedBatches();
  PreparedBatches(const PreparedBatches&) = delete;
  PreparedBatches& operator=(const PreparedBatches&) = delete;

  /// In order; nullopt after the last. Throws Cancelled, and what a decoder threw but Error.
  std::optional<PreparedBatch> next(const std::stop_token& stop);

 private:
  void work(const std::stop_token& stop);
  PreparedBatch prepare(std::size_t first, const std::stop_token& stop) const;

  const Dataset& dataset_;
  const Preprocessing preprocessing_;
  const std::size_t batch_;
  const std::size_t ahead_;  ///< images that may wait
  std::mutex mutex_;         ///< of what follows
  std::condition_variable_any changed_;
  std::size_t to_prepare_;
  std::size_t to_give_;
  std::map<std::size_t, PreparedBatch> ready_;  ///< by first image
  std::exception_ptr failure_;
  std::vector<std::jthread> threads_;
};

}  // namespace adamerge
