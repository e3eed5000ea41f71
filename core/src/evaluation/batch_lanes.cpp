// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/batch_lanes.h"

#include <algorithm>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/progress.h"

namespace adamerge {
namespace {

using Clock = std::chrono::steady_clock;
constexpr unsigned kMostDecoders = 4;

int decoderCount(const EvaluationOptions& options) {
  if (options.decoders > 0) return options.decoders;
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, kMostDecoders));
}

std::size_t laneCount(const EvaluationOptions& options) {
  return static_cast<std::size_t>(std::max(1, options.lanes));
}

}  // namespace

BatchLanes::BatchLanes(const Engine& engine, const Dataset& dataset,
                       std::span<const EvaluationChoice> choices, const EvaluationOptions& options)
    : engine_(engine),
      dataset_(dataset),
      choices_(choices),
      window_(laneCount(options) + static_cast<std::size_t>(decoderCount(options)) + 1),
      prepared_(dataset, engine.info().preprocessing, decoderCount(options)) {
  for (std::size_t i = 0; i < laneCount(options); ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

BatchLanes::~BatchLanes() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void BatchLanes::give(const BatchRange& range) {
  ++outstanding_;
  prepared_.request(range);
}

std::vector<CountedBatch> BatchLanes::take(std::optional<std::chrono::milliseconds> at_most,
                                           const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return failure_ || !finished_.empty(); };
  if (at_most) {
    changed_.wait_for(lock, stop, *at_most, ready);
  } else {
    changed_.wait(lock, stop, ready);
  }
  throwIfStopped(stop);
  if (failure_) std::rethrow_exception(failure_);
  outstanding_ -= finished_.size();
  return std::exchange(finished_, {});
}

void BatchLanes::work(const std::stop_token& stop) {
  try {
    while (true) {
      CountedBatch counted = compute(prepared_.next(stop), stop);
      const std::lock_guard lock(mutex_);
      finished_.push_back(std::move(counted));
      changed_.notify_all();
    }
  } catch (const Cancelled&) {
    return;
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
    changed_.notify_all();
  }
}

CountedBatch BatchLanes::compute(const PreparedBatch& batch, const std::stop_token& stop) const {
  CountedBatch counted{batch.range.first, Tally(choices_.size(), engine_.info().vit.depth)};
  Tally& tally = counted.tally;
  tally.done = batch.range.count;
  for (std::size_t i = 0; i < batch.range.count; ++i) {
    if (!batch.problems[i]) continue;
    tally.skipped.push_back({dataset_.imageName(batch.range.first + i), *batch.problems[i]});
  }
  std::vector<ImageResult> unmerged;
  for (std::size_t point = 0; point < choices_.size(); ++point) {
    const Clock::time_point start = Clock::now();
    std::vector<ImageResult> results =
        engine_.run(batch.inputs, choices_[point].choice, {.trace = false}, stop);
    const std::chrono::duration<double> seconds = Clock::now() - start;
    tally.points[point].addTime(seconds.count());
    if (point == 0) unmerged = results;
    std::size_t at = 0;
    for (std::size_t i = 0; i < batch.range.count; ++i) {
      if (batch.problems[i]) {
        tally.points[point].addSkipped();
        continue;
      }
      const ImageResult& result = results[at];
      tally.warnings.insert(result.warnings.begin(), result.warnings.end());
      tally.points[point].add(result, unmerged[at], dataset_.label(batch.range.first + i));
      ++at;
    }
  }
  return counted;
}

}  // namespace adamerge
