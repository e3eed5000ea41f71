// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/inspector.h"

#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <span>

#include "adamerge/calibrate.h"
#include "adamerge/error.h"
#include "compute/choice_family.h"
#include "compute/error_text.h"
#include "compute/mailbox.h"
#include "compute/picture_inputs.h"
#include "compute/result_cache.h"

namespace adamerge::ui {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kCacheBytes = 256U << 20U;
/// While the slider moves, a run that is this far is finished and shown, or the picture would stand
/// still until the slider does.
constexpr std::chrono::milliseconds kWorthFinishing(10);
/// Slower models are not: the last position would come later by as much.
constexpr std::chrono::milliseconds kSlow(250);

struct Run {
  LoadedModelPtr model;
  PicturePtr picture;
  MethodChoice choice;
  Urgency urgency;
  std::atomic<Clock::rep> started{0};  ///< 0: not running
  std::atomic<bool> done{false};
};
using RunPtr = std::shared_ptr<Run>;

bool sameRequest(const Run& a, const Run& b) {
  return a.model == b.model && a.picture == b.picture && sameChoice(a.choice, b.choice) &&
         a.urgency <= b.urgency;
}

InspectionPtr inspect(const Engine& engine, const Run& run, PictureInputs& inputs,
                      const std::stop_token& stop) {
  auto inspection = std::make_shared<Inspection>();
  inspection->model = run.model;
  inspection->picture = run.picture;
  inspection->choice = run.choice;
  inspection->prepared = inputs.prepared(*run.model, *run.picture);
  inspection->baseline = inputs.baseline(engine, *run.model, *run.picture, stop);
  if (run.choice.method == MethodChoice{}.method) {
    inspection->result = *inspection->baseline;
  } else {
    inspection->result = std::move(
        engine.run(std::span(&inspection->prepared->input, 1), run.choice, {}, stop).front());
  }
  const auto& layers = inspection->result.layers;
  for (int block = 0; block < inspection->depth(); ++block) {
    inspection->survivors.push_back(survivingPatches(layers, block));
  }
  return inspection;
}

std::string paneKey(int pane) { return "pane " + std::to_string(pane); }
std::string flopsKey(int pane) { return "FLOPs " + std::to_string(pane); }

}  // namespace

struct Inspector::State {
  struct Pane {
    RunPtr run;   ///< submitted, its result awaited
    RunPtr next;  ///< starts once `run` is done
    std::uint64_t flops_ticket = 0;
  };

  Inspector* inspector;
  std::shared_ptr<Worker> worker;
  std::shared_ptr<Mailbox> mailbox;
  std::shared_ptr<PictureInputs> inputs;
  std::shared_ptr<Engine> engine;
  LoadedModelPtr model;
  ResultCache cache{kCacheBytes};
  std::map<int, Pane> panes;
  Clock::duration typical{0};  ///< what the last result took

  bool worthFinishing(const Run& running, const Run& wanted) const;
  void start(int pane, const RunPtr& run);
  /// Takes the pane on to what it waits for next; false where `run` is superseded.
  bool finish(int pane, const RunPtr& run);
};

bool Inspector::State::worthFinishing(const Run& running, const Run& wanted) const {
  const Clock::rep started = running.started;
  if (started == 0 || running.model != wanted.model || running.picture != wanted.picture ||
      !sameButCompression(running.choice, wanted.choice)) {
    return false;
  }
  const auto elapsed = Clock::now().time_since_epoch() - Clock::duration(started);
  return typical < kSlow && elapsed > kWorthFinishing;
}

void Inspector::State::start(int pane, const RunPtr& run) {
  panes[pane].run = run;
  worker->submit(paneKey(pane), run->urgency,
                 [this, pane, run, engine = engine, inputs = inputs,
                  mailbox = mailbox](const std::stop_token& stop) {
                   if (run->done) return;
                   const auto begin = Clock::now();
                   run->started = begin.time_since_epoch().count();
                   try {
                     const InspectionPtr inspection = inspect(*engine, *run, *inputs, stop);
                     run->done = true;
                     mailbox->post([this, pane, run, inspection, took = Clock::now() - begin] {
                       if (run->model == model) {
                         cache.insert(inspection);
                         typical = took;
                       }
                       if (finish(pane, run)) emit inspector->ready(pane, inspection);
                     });
                   } catch (const Cancelled&) {
                     run->started = 0;
                   } catch (const std::exception& error) {
                     run->done = true;
                     mailbox->post([this, pane, run, message = errorText(error)] {
                       if (finish(pane, run) && panes[pane].run == nullptr) {
                         emit inspector->failed(pane, message);
                       }
                     });
                   }
                 });
}

bool Inspector::State::finish(int pane, const RunPtr& run) {
  Pane& state = panes[pane];
  if (state.run != run) return false;
  state.run.reset();
  if (state.next != nullptr) start(pane, std::exchange(state.next, nullptr));
  return true;
}

Inspector::Inspector(std::shared_ptr<Worker> worker, QObject* parent,
                     std::shared_ptr<PictureInputs> inputs)
    : QObject(parent), state_(std::make_unique<State>()) {
  state_->inspector = this;
  state_->worker = std::move(worker);
  state_->mailbox = std::make_shared<Mailbox>(this);
  state_->inputs = inputs != nullptr ? std::move(inputs) : std::make_shared<PictureInputs>();
}

Inspector::~Inspector() {
  state_->mailbox->close();
  for (const auto& [pane, state] : state_->panes) cancel(pane);
}

void Inspector::setEngine(std::shared_ptr<Engine> engine, LoadedModelPtr model) {
  for (const auto& [pane, state] : state_->panes) cancel(pane);
  state_->cache.clear();
  state_->typical = {};
  state_->engine = std::move(engine);
  state_->model = std::move(model);
}

std::shared_ptr<Engine> Inspector::engine() const { return state_->engine; }

InspectionPtr Inspector::request(int pane, const PicturePtr& picture, const MethodChoice& choice,
                                 Urgency urgency) {
  if (state_->engine == nullptr || picture == nullptr) return nullptr;
  State::Pane& own = state_->panes[pane];
  const auto wanted = std::make_shared<Run>();
  wanted->model = state_->model;
  wanted->picture = picture;
  wanted->choice = choice;
  wanted->choice.settings = completeSettings(choice);
  wanted->urgency = urgency;
  if (auto kept = state_->cache.find(*state_->model, *picture, wanted->choice)) {
    own.run.reset();
    own.next.reset();
    state_->worker->cancel(paneKey(pane));
    return kept;
  }
  if (own.run != nullptr && sameRequest(*own.run, *wanted)) {
    own.next.reset();
  } else if (own.run != nullptr && state_->worthFinishing(*own.run, *wanted)) {
    own.next = wanted;
  } else {
    own.next.reset();
    state_->start(pane, wanted);
  }
  return nullptr;
}

void Inspector::cancel(int pane) {
  State::Pane& own = state_->panes[pane];
  own.run.reset();
  own.next.reset();
  state_->worker->cancel(paneKey(pane));
  cancelFlops(pane);
}

void Inspector::cancelFlops(int pane) {
  ++state_->panes[pane].flops_ticket;
  state_->worker->cancel(flopsKey(pane));
}

void Inspector::requestFlops(int pane, const PicturePtr& picture, const MethodChoice& choice,
                             double target) {
  if (state_->engine == nullptr || picture == nullptr) return;
  const std::uint64_t ticket = ++state_->panes[pane].flops_ticket;
  state_->worker->submit(
      flopsKey(pane), Urgency::kFollowUp,
      [this, pane, ticket, picture, choice, target, engine = state_->engine, model = state_->model,
       inputs = state_->inputs, mailbox = state_->mailbox](const std::stop_token& stop) {
        try {
          const auto prepared = inputs->prepared(*model, *picture);
          const SchedulePoint point =
              matchFlops(*engine, std::span(&prepared->input, 1), choice, target, {}, stop);
          mailbox->post([this, pane, ticket, value = point.value] {
            if (state_->panes[pane].flops_ticket == ticket) emit matched(pane, value);
          });
        } catch (const Cancelled&) {
          throw;
        } catch (const std::exception& error) {
          mailbox->post([this, pane, ticket, message = errorText(error)] {
            if (state_->panes[pane].flops_ticket == ticket) emit failed(pane, message);
          });
        }
      });
}

}  // namespace adamerge::ui
