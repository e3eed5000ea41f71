// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <future>
#include <thread>

#include "adamerge/error.h"
#include "evaluation/prepared_batches.h"
#include "evaluation/state_file.h"
#include "evaluation/tally.h"

namespace adamerge {
namespace {

using Clock = std::chrono::steady_clock;
constexpr unsigned kMostDecoders = 4;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int decoderCount(const EvaluationOptions& options) {
  if (options.decoders > 0) return options.decoders;
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, kMostDecoders));
}

/// The unmerged model, then what was asked for, nothing twice.
std::vector<EvaluationChoice> withUnmerged(std::span<const EvaluationChoice> choices) {
  std::vector<EvaluationChoice> all{{MethodChoice{}, std::nullopt}};
  for (const EvaluationChoice& entry : choices) {
    const bool again = std::any_of(all.begin(), all.end(), [&](const EvaluationChoice& other) {
      return other.choice.method == entry.choice.method && other.tier == entry.tier &&
             completeSettings(other.choice) == completeSettings(entry.choice);
    });
    if (!again && entry.choice.method != "none") all.push_back(entry);
  }
  return all;
}

/// A batch with what each choice made of it.
struct MeasuredBatch {
  PreparedBatch batch;
  std::vector<std::vector<ImageResult>> results;
  std::vector<double> seconds;
};

class Run {
 public:
  Run(const Engine& engine, const Dataset& dataset, std::span<const EvaluationChoice> choices,
      const EvaluationOptions& options)
      : engine_(engine),
        dataset_(dataset.shuffled()),
        choices_(withUnmerged(choices)),
        options_(options),
        key_(engine, dataset, choices_) {
    // What does not suit the model is said before any image is read.
    for (const EvaluationChoice& entry : choices_) engine_.run({}, entry.choice);
    const int depth = engine.info().vit.depth;
    if (!options.state.empty()) {
      if (auto kept = readState(options.state, key_, depth, dataset.size(), choices_.size())) {
        tally_ = std::move(*kept);
      }
    }
    tally_.points.resize(choices_.size(), PointTally(depth));
    continued_ = tally_.done;
  }

  void measure(const ProgressCallback& progress, const std::stop_token& stop) {
    const std::size_t batch = std::max<std::size_t>(1, options_.batch);
    const std::size_t batches = (dataset_.size() - tally_.done + batch - 1) / batch;
    lanes_ = std::clamp<std::size_t>(static_cast<std::size_t>(std::max(1, options_.lanes)), 1,
                                     std::max<std::size_t>(1, batches));
    PreparedBatches prepared(dataset_, engine_.info().preprocessing, tally_.done, batch,
                             decoderCount(options_));
    const auto report = [&] {
      if (!progress) return;
      progress({"evaluating", static_cast<std::int64_t>(tally_.done),
                static_cast<std::int64_t>(dataset_.size())});
    };
    report();
    try {
      measureAll(prepared, report, stop);
    } catch (const Cancelled&) {
      // What is done stays; the caller sees that it is not all.
    }
    if (tally_.done > continued_) save();
  }

  Evaluation evaluation() const {
    Evaluation result;
    result.model = engine_.info().name;
    result.dataset = dataset_.name();
    result.labelled = dataset_.labelled();
    result.device = engine_.device();
    result.dtype = engine_.dtype();
    result.total = dataset_.size();
    result.done = tally_.done;
    result.continued = continued_;
    result.skipped = tally_.skipped;
    std::sort(result.skipped.begin(), result.skipped.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    result.warnings.assign(tally_.warnings.begin(), tally_.warnings.end());
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      result.points.push_back(tally_.points[i].point(
          choices_[i], result.images(), dataset_.labelled(), engine_.info().vit.classes > 0));
    }
    return result;
  }

 private:
  /// Counts batches in their order, whichever lane is done first.
  void measureAll(PreparedBatches& prepared, const std::function<void()>& report,
                  const std::stop_token& stop) {
    Clock::time_point saved = Clock::now();
    Clock::time_point told = saved;
    std::deque<std::future<MeasuredBatch>> running;
    while (true) {
      while (running.size() < lanes_) {
        std::optional<PreparedBatch> batch = prepared.next(stop);
        if (!batch) break;
        running.push_back(std::async(std::launch::async, &Run::compute, this, std::move(*batch),
                                     std::cref(stop)));
      }
      if (running.empty()) return;
      const MeasuredBatch measured = running.front().get();
      running.pop_front();
      count(measured);
      if (secondsSince(saved) >= options_.seconds_between_saves) {
        save();
        saved = Clock::now();
      }
      report();
      if (options_.interim && secondsSince(told) >= options_.seconds_between_interims &&
          tally_.done > tally_.skipped.size()) {
        options_.interim(evaluation());
        told = Clock::now();
      }
    }
  }

  MeasuredBatch compute(PreparedBatch batch, const std::stop_token& stop) const {
    MeasuredBatch measured{std::move(batch), {}, {}};
    for (const EvaluationChoice& entry : choices_) {
      const Clock::time_point start = Clock::now();
      measured.results.push_back(
          engine_.run(measured.batch.inputs, entry.choice, {.trace = false}, stop));
      measured.seconds.push_back(secondsSince(start));
    }
    return measured;
  }

  void count(const MeasuredBatch& measured) {
    const auto& [batch, results, seconds] = measured;
    for (std::size_t point = 0; point < choices_.size(); ++point) {
      tally_.points[point].addTime(seconds[point] / static_cast<double>(lanes_));
      for (const ImageResult& image : results[point]) {
        tally_.warnings.insert(image.warnings.begin(), image.warnings.end());
      }
    }
    std::size_t at = 0;
    for (std::size_t i = 0; i < batch.count; ++i) {
      const std::size_t image = batch.first + i;
      if (batch.problems[i]) {
        tally_.skipped.push_back({dataset_.imageName(image), *batch.problems[i]});
        for (PointTally& point : tally_.points) point.addSkipped();
        continue;
      }
      for (std::size_t point = 0; point < choices_.size(); ++point) {
        tally_.points[point].add(results[point][at], results.front()[at], dataset_.label(image));
      }
      ++at;
    }
    tally_.done += batch.count;
  }

  void save() const {
    if (!options_.state.empty()) writeState(options_.state, key_, tally_);
  }

  const Engine& engine_;
  const Dataset dataset_;
  const std::vector<EvaluationChoice> choices_;
  const EvaluationOptions& options_;
  const EvaluationKey key_;
  Tally tally_;
  std::size_t continued_ = 0;
  std::size_t lanes_ = 1;
};

}  // namespace

Evaluation evaluate(const Engine& engine, const Dataset& dataset,
                    std::span<const EvaluationChoice> choices, const EvaluationOptions& options,
                    const ProgressCallback& progress, const std::stop_token& stop) {
  Run run(engine, dataset, choices, options);
  run.measure(progress, stop);
  Evaluation result = run.evaluation();
  if (result.complete() && result.images() == 0) {
    throw Error(fmt::format("{}: none of the {} images could be read (the first: {})",
                            dataset.name(), dataset.size(), result.skipped.front().reason));
  }
  return result;
}

}  // namespace adamerge
