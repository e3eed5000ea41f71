// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/batch_lanes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/image.h"
#include "kernels/parallel.h"

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

std::vector<PreparedMethod> prepareAll(const Engine& engine, const Dataset& dataset,
                                       std::span<const MeasuredChoice> choices,
                                       const std::stop_token& stop) {
  const ModelInfo& model = engine.info();
  for (std::size_t i = 0; dataset.labelled() && i < dataset.size(); ++i) {
    if (dataset.label(i) >= 0 && dataset.label(i) < model.vit.classes) continue;
    throw Error(fmt::format(
        "{}: image {} is of class {}, and {} has {} classes: the set was opened for another model",
        dataset.name(), dataset.imageName(i), dataset.label(i), model.name, model.vit.classes));
  }
  std::vector<PreparedMethod> methods;
  for (const MeasuredChoice& entry : choices) {
    throwIfStopped(stop);
    methods.push_back(engine.prepare(entry.choice, stop));
  }
  return methods;
}

BatchLanes::BatchLanes(const Engine& engine, const Dataset& dataset,
                       std::span<const PreparedMethod> methods, const PictureRows* rows,
                       const EvaluationOptions& options)
    : engine_(engine),
      dataset_(dataset),
      methods_(methods),
      rows_(rows),
      lanes_(laneCount(options)),
      window_(lanes_ + static_cast<std::size_t>(decoderCount(options)) + 1),
      prepared_(dataset, engine.info().preprocessing, decoderCount(options), rows != nullptr) {
  for (std::size_t i = 0; i < lanes_; ++i) {
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
  // Several keep the cores busy with one thread each, however many the model was loaded for.
  std::optional<LibTorchAside> alone;
  if (lanes_ > 1) alone.emplace(1);
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
  CountedBatch counted{batch.range.first, Tally(methods_.size(), engine_.info().vit.depth), {}};
  Tally& tally = counted.tally;
  tally.done = batch.range.count;
  tally.notes = batch.notes;
  for (std::size_t i = 0; i < batch.range.count; ++i) {
    if (!batch.problems[i]) continue;
    tally.skipped.push_back({dataset_.imageName(batch.range.first + i), *batch.problems[i]});
  }
  std::vector<ImageResult> unmerged;
  std::vector<std::string> rows(batch.inputs.size());
  for (std::size_t point = 0; point < methods_.size(); ++point) {
    const Clock::time_point start = Clock::now();
    std::vector<ImageResult> results =
        engine_.run(batch.inputs, methods_[point], {.trace = false, .features = true}, stop);
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
      if (rows_ != nullptr) {
        rows[at] += rows_->row(batch.range.first + i, point, result, unmerged[at], batch.facts[at]);
      }
      ++at;
    }
  }
  for (const std::string& image : rows) counted.rows += image;
  return counted;
}

PreparedBatches::PreparedBatches(const Dataset& dataset, const Preprocessing& preprocessing,
                                 int threads, bool with_facts)
    : dataset_(dataset), preprocessing_(preprocessing), with_facts_(with_facts) {
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
  PreparedBatch batch{range, {}, {}, {}, {}};
  for (std::size_t i = range.first; i < range.first + range.count; ++i) {
    throwIfStopped(stop);
    std::optional<std::string> problem;
    try {
      const Image image = dataset_.load(i);
      PreparedImage prepared = prepareImage(image, preprocessing_);
      batch.inputs.push_back(std::move(prepared.input));
      if (!image.note.empty()) {
        addImageNote(batch.notes, fmt::format("{}: {}", dataset_.imageName(i), image.note));
      }
      if (with_facts_) {
        batch.facts.push_back({complexityOf(prepared.view), pixelFingerprint(image)});
      }
    } catch (const Error& error) {
      problem = error.what();
    }
    batch.problems.push_back(std::move(problem));
  }
  return batch;
}

}  // namespace adamerge
