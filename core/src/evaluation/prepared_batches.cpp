// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/prepared_batches.h"

#include "adamerge/error.h"
#include "adamerge/preprocess.h"
#include "adamerge/progress.h"

namespace adamerge {

PreparedBatches::PreparedBatches(const Dataset& dataset, const Preprocessing& preprocessing,
                                 int threads)
    : dataset_(dataset), preprocessing_(preprocessing) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

PreparedBatches::~PreparedBatches() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void PreparedBatches::request(const BatchRange& range) {
  const std::lock_guard lock(mutex_);
  to_prepare_.push_back(range);
  to_give_.push_back(range.first);
  changed_.notify_all();
}

PreparedBatch PreparedBatches::next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] {
    return failure_ || (!to_give_.empty() && ready_.contains(to_give_.front()));
  };
  if (!changed_.wait(lock, stop, ready)) throw Cancelled();
  if (failure_) std::rethrow_exception(failure_);
  PreparedBatch batch = std::move(ready_.extract(to_give_.front()).mapped());
  to_give_.pop_front();
  changed_.notify_all();
  return batch;
}

void PreparedBatches::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    const bool go = changed_.wait(lock, stop, [&] { return failure_ || !to_prepare_.empty(); });
    if (!go || failure_) return;
    const BatchRange range = to_prepare_.front();
    to_prepare_.pop_front();
    lock.unlock();
    try {
      PreparedBatch batch = prepare(range, stop);
      lock.lock();
      ready_.emplace(range.first, std::move(batch));
    } catch (const Cancelled&) {
      return;
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      failure_ = std::current_exception();
    }
    changed_.notify_all();
  }
}

PreparedBatch PreparedBatches::prepare(const BatchRange& range, const std::stop_token& stop) const {
  PreparedBatch batch{range, {}, {}};
  for (std::size_t i = range.first; i < range.first + range.count; ++i) {
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
