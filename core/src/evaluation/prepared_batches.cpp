// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/prepared_batches.h"

#include <algorithm>

#include "adamerge/error.h"
#include "adamerge/preprocess.h"
#include "adamerge/progress.h"

namespace adamerge {

PreparedBatches::PreparedBatches(const Dataset& dataset, const Preprocessing& preprocessing,
                                 std::size_t first, std::size_t batch, int threads)
    : dataset_(dataset),
      preprocessing_(preprocessing),
      batch_(batch),
      ahead_(batch * (static_cast<std::size_t>(threads) + 1)),
      to_prepare_(first),
      to_give_(first) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

PreparedBatches::~PreparedBatches() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

std::optional<PreparedBatch> PreparedBatches::next(const std::stop_token& stop) {
  throwIfStopped(stop);
  std::unique_lock lock(mutex_);
  if (to_give_ >= dataset_.size()) return std::nullopt;
  if (!changed_.wait(lock, stop, [&] { return failure_ || ready_.contains(to_give_); })) {
    throw Cancelled();
  }
  if (failure_) std::rethrow_exception(failure_);
  PreparedBatch batch = std::move(ready_.extract(to_give_).mapped());
  to_give_ += batch.count;
  changed_.notify_all();
  return batch;
}

void PreparedBatches::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    const bool go = changed_.wait(lock, stop, [&] {
      return failure_ || to_prepare_ >= dataset_.size() || to_prepare_ < to_give_ + ahead_;
    });
    if (!go || failure_ || to_prepare_ >= dataset_.size()) return;
    const std::size_t first = to_prepare_;
    to_prepare_ = std::min(first + batch_, dataset_.size());
    lock.unlock();
    try {
      PreparedBatch batch = prepare(first, stop);
      lock.lock();
      ready_.emplace(first, std::move(batch));
    } catch (const Cancelled&) {
      return;
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      failure_ = std::current_exception();
    }
    changed_.notify_all();
  }
}

PreparedBatch PreparedBatches::prepare(std::size_t first, const std::stop_token& stop) const {
  PreparedBatch batch;
  batch.first = first;
  batch.count = std::min(batch_, dataset_.size() - first);
  for (std::size_t i = first; i < first + batch.count; ++i) {
    throwIfStopped(stop);
    std::optional<std::string> problem;
    try {
      batch.inputs.push_back(prepareImage(dataset_.load(i), preprocessing_).input);
    } catch (const Error& error) {
      problem = error.what();
    }
    batch.problems.push_back(std::move(problem));
  }
  return batch;
}

}  // namespace adamerge
