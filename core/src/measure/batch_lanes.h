// SPDX-License-Identifier: GPL-3.0-or-later
// Batches through every choice, several at the same time, on threads of their own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

#include "adamerge/dataset.h"
#include "adamerge/result.h"
#include "measure/picture_rows.h"
#include "measure/tally.h"

namespace adamerge {

/// Consecutive images.
struct BatchRange {
  std::size_t first = 0;
  std::size_t count = 0;
};

struct PreparedBatch {
  BatchRange range;
  std::vector<InputTensor> inputs;  ///< of the images that could be read
  std::vector<PictureFacts> facts;  ///< of the same, where they are asked for
  /// One per image: why it could not be read; nullopt: it is the next of `inputs`.
  std::vector<std::optional<std::string>> problems;
  std::vector<std::string> notes;  ///< addImageNote()
};

/// Decodes and preprocesses images ahead of the engine, on threads of its own. Memory holds what
/// was requested and not yet taken.
class PreparedBatches {
 public:
  /// `dataset` must outlive this.
  PreparedBatches(const Dataset& dataset, const Preprocessing& preprocessing, int threads,
                  bool with_facts);
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
  const bool with_facts_;
  std::mutex mutex_;  ///< of what follows
  std::condition_variable_any changed_;
  std::deque<BatchRange> to_prepare_;
  std::deque<std::size_t> to_give_;             ///< first images
  std::map<std::size_t, PreparedBatch> ready_;  ///< by first image
  std::exception_ptr failure_;
  std::vector<std::jthread> threads_;
};

struct CountedBatch {
  std::size_t first = 0;
  Tally tally;
  std::string rows;  ///< PictureRows::row()s of each image, where there are any
};

/// Throws Error: a choice that does not suit the model, labels of classes that it does not have;
/// Cancelled.
std::vector<PreparedMethod> prepareAll(const Engine& engine, const Dataset& dataset,
                                       std::span<const MeasuredChoice> choices,
                                       const std::stop_token& stop);

/// Given to and taken from by one thread.
class BatchLanes {
 public:
  /// The first of `methods`, prepareAll()'s, is the unmerged model. `rows`: nullptr where none are
  /// wanted. All four must outlive this.
  BatchLanes(const Engine& engine, const Dataset& dataset, std::span<const PreparedMethod> methods,
             const PictureRows* rows, const EvaluationOptions& options);
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
  const std::span<const PreparedMethod> methods_;
  const PictureRows* const rows_;
  const std::size_t lanes_;
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
