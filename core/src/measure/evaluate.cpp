// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "measure/batch_lanes.h"
#include "measure/choices.h"
#include "measure/picture_rows.h"
#include "measure/ranks.h"
#include "measure/state_file.h"
#include "measure/tally.h"

namespace adamerge {
namespace {

using Clock = std::chrono::steady_clock;
/// Between looks at what other ranks sent.
constexpr std::chrono::milliseconds kPoll{2};

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Run {
 public:
  Run(const Engine& engine, const Dataset& dataset, std::span<const MeasuredChoice> choices,
      const EvaluationOptions& options, const std::stop_token& stop)
      : engine_(engine),
        dataset_(dataset.shuffled()),
        choices_(withUnmerged(choices, engine.info().vit)),
        methods_(prepareAll(engine, dataset, choices_, stop)),
        options_(options),
        key_(engine, dataset, choices_, options.chosen_by),
        rows_(engine, dataset_, choices_),
        tally_(choices_.size(), engine.info().vit.depth) {
    std::optional<KeptState> kept;
    if (!options.state.empty()) {
      kept =
          readState(options.state, key_, dataset.size(), choices_.size(), engine.info().vit.depth);
    }
    if (!options.pictures.empty()) openPictures(kept);
    if (kept) tally_ = std::move(kept->tally);
    continued_ = tally_.done;
    if (options.ranks != nullptr) {
      remote_.emplace(*options.ranks, key_, choices_.size(), engine.info().vit.depth,
                      options.seconds_until_lost);
    }
  }

  void measure(const ProgressCallback& progress, const std::stop_token& stop) {
    // Rows begin a file; else there is something to lose from the first image on.
    if (pictures_) until_kept_.emplace();
    const auto report = [&] {
      if (!progress) return;
      progress({"evaluating", static_cast<std::int64_t>(tally_.done),
                static_cast<std::int64_t>(dataset_.size())});
    };
    report();
    EvaluationOptions options = options_;
    options.lanes = std::clamp(options.lanes, 1, static_cast<int>(batchesLeft()));
    BatchLanes lanes(engine_, dataset_, methods_, pictures_ ? &rows_ : nullptr, options);
    try {
      measureAll(lanes, report, stop);
    } catch (const Cancelled&) {
      // What is done stays; the caller sees that it is not all. It is kept before anything else,
      // since whoever asked for an end may not wait.
      save();
      if (remote_ && lost_.empty()) lost_ = remote_->unanswering(kFarewell);
      until_kept_.reset();
      return;
    }
    save();
    until_kept_.reset();
  }

  Evaluation evaluation() const {
    Evaluation result;
    result.model = engine_.info().name;
    result.dataset = dataset_.name();
    result.labelled = dataset_.labelled();
    result.vit = engine_.info().vit;
    result.device = engine_.device();
    result.dtype = engine_.dtype();
    result.total = dataset_.size();
    result.done = tally_.done;
    result.continued = continued_;
    result.lost_ranks = lost_;
    result.skipped = tally_.skipped;
    std::sort(result.skipped.begin(), result.skipped.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    result.notes = engine_.info().notes;
    result.notes.insert(result.notes.end(), dataset_.notes().begin(), dataset_.notes().end());
    result.image_notes = tally_.notes;
    result.warnings.assign(tally_.warnings.begin(), tally_.warnings.end());
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      result.points.push_back(tally_.points[i].point(
          choices_[i], result.images(), dataset_.labelled(), engine_.info().vit.classes > 0));
    }
    return result;
  }

 private:
  void openPictures(const std::optional<KeptState>& kept) {
    if (kept && !kept->pictures) {
      throw UnusableState(fmt::format(
          "{}: kept of an evaluation without a row of every image ({} are done); finish that one "
          "with the options it was begun with, or remove the file to begin anew",
          options_.state.string(), kept->tally.done));
    }
    pictures_.emplace(options_.pictures, rows_.header(),
                      kept ? kept->pictures : std::optional<std::uint64_t>());
    keepStatistics(options_.pictures, choices_);
  }

  std::size_t batch() const { return std::max<std::size_t>(1, options_.batch); }
  std::size_t batchesLeft() const {
    return std::max<std::size_t>(1, (dataset_.size() - tally_.done + batch() - 1) / batch());
  }

  /// Counts batches in their order, whoever is done first.
  void measureAll(BatchLanes& lanes, const std::function<void()>& report,
                  const std::stop_token& stop) {
    std::optional<Clock::time_point> saved;
    Clock::time_point told = Clock::now();
    std::map<std::size_t, CountedBatch> finished;  // by first image
    std::size_t next = tally_.done;
    while (tally_.done < dataset_.size()) {
      next = handOut(lanes, next);
      for (CountedBatch& batch : collect(lanes, stop)) {
        finished.emplace(batch.first, std::move(batch));
      }
      while (finished.contains(tally_.done)) {
        throwIfStopped(stop);
        const std::size_t side_by_side = lanes.lanes() + (remote_ ? remote_->lanes() : 0);
        const CountedBatch counted = std::move(finished.extract(tally_.done).mapped());
        if (!until_kept_) until_kept_.emplace();
        if (pictures_) pictures_->append(counted.rows);
        tally_.append(counted.tally, side_by_side);
        // The first time at once: a place where nothing can be kept should not show after hours.
        if (!saved || secondsSince(*saved) >= options_.seconds_between_saves) {
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
  }

  /// From image `next` on, as much as there is room for, by turns; the first image that is left.
  std::size_t handOut(BatchLanes& lanes, std::size_t next) {
    for (bool room = true; room && next < dataset_.size();) {
      room = false;
      const auto range = [&] {
        return BatchRange{next, std::min(batch(), dataset_.size() - next)};
      };
      if (lanes.hasRoom()) {
        lanes.give(range());
        next += range().count;
        room = true;
      }
      if (remote_ && next < dataset_.size() && remote_->give(range())) {
        next += range().count;
        room = true;
      }
    }
    return next;
  }

  std::vector<CountedBatch> collect(BatchLanes& lanes, const std::stop_token& stop) {
    if (!remote_) return lanes.take(std::nullopt, stop);
    std::vector<CountedBatch> finished = lanes.take(kPoll, stop);
    for (CountedBatch& batch : remote_->take()) finished.push_back(std::move(batch));
    lost_ = remote_->silent();
    if (!lost_.empty()) throw Cancelled();
    return finished;
  }

  /// The rows first: what the state counts is on the disk.
  void save() {
    std::optional<std::uint64_t> pictures;
    if (pictures_) pictures = pictures_->sync();
    if (options_.state.empty() || tally_.done == continued_) return;
    writeState(options_.state, key_, choices_, options_.chosen_by, tally_, pictures);
  }

  const Engine& engine_;
  const Dataset dataset_;
  const std::vector<MeasuredChoice> choices_;
  const std::vector<PreparedMethod> methods_;  ///< made before any image is read
  const EvaluationOptions& options_;
  const MeasurementKey key_;
  const PictureRows rows_;
  std::optional<PictureWriter> pictures_;
  Tally tally_;
  std::size_t continued_ = 0;
  std::optional<UnsavedWork> until_kept_;
  std::optional<RemoteLanes> remote_;
  std::vector<int> lost_;
};

}  // namespace

Evaluation evaluate(const Engine& engine, const Dataset& dataset,
                    std::span<const MeasuredChoice> choices, const EvaluationOptions& options,
                    const ProgressCallback& progress, const std::stop_token& stop) {
  Run run(engine, dataset, choices, options, stop);
  run.measure(progress, stop);
  Evaluation result = run.evaluation();
  if (result.complete() && result.images() == 0) {
    throw Error(fmt::format("{}: none of the {} images could be read (the first: {})",
                            dataset.name(), dataset.size(), result.skipped.front().reason));
  }
  return result;
}

std::vector<MeasuredChoice> matchTiers(const Engine& engine, const Dataset& sample,
                                       std::span<const MethodChoice> methods,
                                       std::span<const double> tiers,
                                       const std::function<void(const TierMatch&)>& found,
                                       const ProgressCallback& progress,
                                       const std::stop_token& stop) {
  ImageSource images(sample, engine.info().preprocessing);
  return matchTiers(engine, images.readAll(stop), methods, tiers, found, progress, stop);
}

}  // namespace adamerge
