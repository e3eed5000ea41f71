// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/inspector.h"

#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "adamerge/calibrate.h"
#include "adamerge/error.h"
#include "bench/data.h"
#include "bench/jobs.h"
#include "bench/kept_results.h"

namespace adamerge::ui {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kCacheBytes = 256U << 20U;
/// While the slider moves, a run that is this far is finished and shown, or the picture would stand
/// still until the slider does.
constexpr std::chrono::milliseconds kWorthFinishing(10);
/// Slower models are not: the last position would come later by as much.
constexpr std::chrono::milliseconds kSlow(250);

InspectionPtr inspect(const Engine& engine, const LoadedModelPtr& model, const PicturePtr& picture,
                      const MethodChoice& choice, PictureInputs& inputs,
                      const std::stop_token& stop) {
  auto inspection = std::make_shared<Inspection>();
  inspection->model = model;
  inspection->picture = picture;
  inspection->choice = choice;
  inspection->prepared = inputs.prepared(*model, *picture);
  inspection->baseline = inputs.baseline(engine, *model, *picture, stop);
  inspection->baseline_seconds = inputs.baselineSeconds(*model, *picture);
  if (choice.method == MethodChoice{}.method) {
    inspection->result = *inspection->baseline;
    inspection->seconds = inspection->baseline_seconds;
  } else {
    const auto begin = Clock::now();
    inspection->result = std::move(
        engine.run(std::span(&inspection->prepared->input, 1), choice, {.record = true}, stop)
            .front());
    inspection->seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    inputs.keep(*model, *picture, choice, std::exchange(inspection->result.recording, nullptr));
  }
  const auto unmerged = inputs.recording(engine, *model, *picture, {}, stop);
  inspection->change =
      featureChanges(*inputs.recording(engine, *model, *picture, choice, stop), *unmerged);
  const auto& layers = inspection->result.layers;
  for (int block = 0; block < inspection->depth(); ++block) {
    inspection->survivors.push_back(survivingPatches(layers, block));
  }
  return inspection;
}

std::string paneKey(int pane) { return "pane " + std::to_string(pane); }
std::string flopsKey(int pane) { return "FLOPs " + std::to_string(pane); }

}  // namespace

struct Inspector::Run {
  LoadedModelPtr model;
  PicturePtr picture;
  MethodChoice choice;
  Urgency urgency;
  std::atomic<Clock::rep> started{0};  ///< 0: not running
  std::atomic<bool> done{false};

  bool covers(const Run& other) const {
    return model == other.model && picture == other.picture && sameChoice(choice, other.choice) &&
           urgency <= other.urgency;
  }
};

bool Inspector::worthFinishing(const Run& running, const Run& wanted) const {
  const Clock::rep started = running.started;
  if (started == 0 || running.model != wanted.model || running.picture != wanted.picture ||
      !sameButCompression(running.choice, wanted.choice)) {
    return false;
  }
  const auto elapsed = Clock::now().time_since_epoch() - Clock::duration(started);
  return typical_ < kSlow && elapsed > kWorthFinishing;
}

void Inspector::start(int pane, const RunPtr& run) {
  panes_[pane].run = run;
  jobs_.run(
      paneKey(pane), run->urgency,
      [this, pane, run, engine = engine_, inputs = inputs_](const std::stop_token& stop,
                                                            const Jobs::Tell& tell) {
        // Interrupted by something more urgent after its end, it would run again.
        if (run->done) return;
        const auto begin = Clock::now();
        run->started = begin.time_since_epoch().count();
        try {
          const InspectionPtr inspection =
              inspect(*engine, run->model, run->picture, run->choice, *inputs, stop);
          run->done = true;
          tell([this, pane, inspection, took = Clock::now() - begin] {
            cache_.insert(inspection);
            typical_ = took;
            finish(pane);
            emit ready(pane, inspection);
          });
        } catch (const Cancelled&) {
          run->started = 0;
          throw;
        } catch (...) {
          run->done = true;
          throw;
        }
      },
      [this, pane](const QString& message) {
        finish(pane);
        if (panes_[pane].run == nullptr) emit failed(pane, message);
      });
}

void Inspector::finish(int pane) {
  Waiting& own = panes_[pane];
  own.run.reset();
  if (own.next != nullptr) start(pane, std::exchange(own.next, nullptr));
}

Inspector::Inspector(std::shared_ptr<Worker> worker, QObject* parent,
                     std::shared_ptr<PictureInputs> inputs)
    : QObject(parent),
      inputs_(inputs != nullptr ? std::move(inputs) : std::make_shared<PictureInputs>()),
      cache_(kCacheBytes),
      jobs_(this, std::move(worker)) {}

void Inspector::setEngine(std::shared_ptr<Engine> engine, LoadedModelPtr model) {
  for (const auto& [pane, waiting] : panes_) cancel(pane);
  cache_.clear();
  typical_ = {};
  engine_ = std::move(engine);
  model_ = std::move(model);
}

InspectionPtr Inspector::request(int pane, const PicturePtr& picture, const MethodChoice& choice,
                                 Urgency urgency) {
  if (engine_ == nullptr || picture == nullptr) return nullptr;
  Waiting& own = panes_[pane];
  const auto wanted = std::make_shared<Run>();
  wanted->model = model_;
  wanted->picture = picture;
  wanted->choice = choice;
  wanted->choice.settings = completeSettings(choice);
  wanted->urgency = urgency;
  if (auto kept = cache_.find(*model_, *picture, wanted->choice)) {
    own = {};
    jobs_.cancel(paneKey(pane));
    return kept;
  }
  if (own.run != nullptr && own.run->covers(*wanted)) {
    own.next.reset();
  } else if (own.run != nullptr && worthFinishing(*own.run, *wanted)) {
    own.next = wanted;
  } else {
    own.next.reset();
    start(pane, wanted);
  }
  return nullptr;
}

void Inspector::cancel(int pane) {
  panes_[pane] = {};
  jobs_.cancel(paneKey(pane));
  cancelFlops(pane);
}

void Inspector::cancelFlops(int pane) { jobs_.cancel(flopsKey(pane)); }

void Inspector::requestFlops(int pane, const PicturePtr& picture, const MethodChoice& choice,
                             double target) {
  if (engine_ == nullptr || picture == nullptr) return;
  jobs_.run(
      flopsKey(pane), Urgency::kFollowUp,
      [this, pane, picture, choice, target, engine = engine_, model = model_, inputs = inputs_](
          const std::stop_token& stop, const Jobs::Tell& tell) {
        const auto prepared = inputs->prepared(*model, *picture);
        const SchedulePoint point =
            matchFlops(*engine, std::span(&prepared->input, 1), choice, target, {}, stop);
        tell([this, pane, value = point.value] { emit matched(pane, value); });
      },
      [this, pane](const QString& message) { emit failed(pane, message); });
}

}  // namespace adamerge::ui
