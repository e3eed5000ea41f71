// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/sweeper.h"

#include <QElapsedTimer>
#include <QTimer>
#include <algorithm>
#include <atomic>
#include <list>
#include <map>
#include <set>
#include <span>

#include "adamerge/engine.h"
#include "adamerge/error.h"
#include "compute/choice_family.h"
#include "compute/curve.h"
#include "compute/mailbox.h"
#include "compute/picture_inputs.h"

namespace adamerge::ui {
namespace {

constexpr const char* kKey = "sweep";
constexpr int kSignalInterval = 100;  ///< ms
constexpr std::size_t kKeptCurves = 24;

using CurvePtr = std::shared_ptr<Curve>;

SweepPoint measure(const Engine& engine, const LoadedModel& model, const Picture& picture,
                   const MethodChoice& choice, PictureInputs& inputs, const std::stop_token& stop) {
  const auto baseline = inputs.baseline(engine, model, picture, stop);
  const auto prepared = inputs.prepared(model, picture);
  const ImageResult result =
      engine.run(std::span(&prepared->input, 1), choice, {.trace = false}, stop).front();
  const Fidelity fidelity = compareLogits(baseline->logits, result.logits);
  SweepPoint point;
  point.value = compressionOf(choice);
  point.flops = result.flops;
  point.tokens = result.layers.back().tokens_out;
  point.top1_agrees = fidelity.top1_agrees;
  point.logit_cosine = fidelity.logit_cosine;
  const int top = topPredictions(baseline->logits, {}, 1).front().index;
  for (const Prediction& prediction :
       topPredictions(result.logits, {}, static_cast<int>(result.logits.size()))) {
    if (prediction.index == top) point.top_probability = prediction.probability;
  }
  return point;
}

}  // namespace

struct Sweeper::State {
  Sweeper* sweeper;
  std::shared_ptr<Worker> worker;
  std::shared_ptr<Mailbox> mailbox;
  std::shared_ptr<PictureInputs> inputs;
  std::shared_ptr<const Engine> engine;
  LoadedModelPtr model;
  bool enabled = true;
  std::map<int, CurvePtr> panes;
  std::list<CurvePtr> kept;  ///< of the present model, the last used first
  std::uint64_t step = 0;    ///< of the job under way
  bool computing = false;
  std::set<int> unsaid;  ///< panes with points that no signal has told of
  QTimer timer;

  CurvePtr curveFor(const PicturePtr& picture, const MethodChoice& choice);
  void schedule();
  void stop();
  void received(std::uint64_t of_step, const CurvePtr& curve, const SweepPoint* point);
  void tell();
};

CurvePtr Sweeper::State::curveFor(const PicturePtr& picture, const MethodChoice& choice) {
  const auto found = std::find_if(kept.begin(), kept.end(), [&](const CurvePtr& curve) {
    return curve->covers(*picture, choice);
  });
  if (found != kept.end()) {
    kept.splice(kept.begin(), kept, found);
  } else {
    // Curves of pictures that are closed would keep their pixels.
    std::erase_if(kept, [&](const CurvePtr& curve) { return curve->picture() != picture; });
    kept.push_front(std::make_shared<Curve>(picture, choice, model->info.vit));
    if (kept.size() > kKeptCurves) kept.pop_back();
  }
  return kept.front();
}

void Sweeper::State::schedule() {
  if (computing || !enabled || engine == nullptr) return;
  CurvePtr curve;
  for (const auto& [pane, candidate] : panes) {
    if (!candidate->next()) continue;
    if (curve == nullptr || candidate->computed() < curve->computed()) curve = candidate;
  }
  if (curve == nullptr) return;
  computing = true;
  worker->submit(kKey, Urgency::kBackground,
                 [this, own = ++step, curve, choice = *curve->next(), picture = curve->picture(),
                  done = std::make_shared<std::atomic<bool>>(false), engine = engine, model = model,
                  inputs = inputs, mailbox = mailbox](const std::stop_token& stop) {
                   if (*done) return;
                   try {
                     const SweepPoint point =
                         measure(*engine, *model, *picture, choice, *inputs, stop);
                     *done = true;
                     mailbox->post([this, own, curve, point] { received(own, curve, &point); });
                   } catch (const Cancelled&) {
                     throw;
                   } catch (const std::exception&) {
                     // The pane's own run says what is wrong.
                     *done = true;
                     mailbox->post([this, own, curve] { received(own, curve, nullptr); });
                   }
                 });
}

void Sweeper::State::stop() {
  ++step;
  computing = false;
  worker->cancel(kKey);
}

void Sweeper::State::received(std::uint64_t of_step, const CurvePtr& curve,
                              const SweepPoint* point) {
  if (of_step == step) computing = false;
  if (point != nullptr) {
    curve->add(*point);
  } else {
    curve->giveUp();
  }
  for (const auto& [pane, shown] : panes) {
    if (shown == curve) unsaid.insert(pane);
  }
  if (!unsaid.empty() && !timer.isActive()) timer.start();
  schedule();
}

void Sweeper::State::tell() {
  for (const int pane : std::exchange(unsaid, {})) emit sweeper->changed(pane);
}

Sweeper::Sweeper(std::shared_ptr<Worker> worker, QObject* parent,
                 std::shared_ptr<PictureInputs> inputs)
    : QObject(parent), state_(std::make_unique<State>()) {
  state_->sweeper = this;
  state_->worker = std::move(worker);
  state_->mailbox = std::make_shared<Mailbox>(this);
  state_->inputs = inputs != nullptr ? std::move(inputs) : std::make_shared<PictureInputs>();
  state_->timer.setSingleShot(true);
  state_->timer.setInterval(kSignalInterval);
  connect(&state_->timer, &QTimer::timeout, this, [this] { state_->tell(); });
}

Sweeper::~Sweeper() {
  state_->mailbox->close();
  state_->stop();
}

void Sweeper::setEngine(std::shared_ptr<const Engine> engine, LoadedModelPtr model) {
  state_->stop();
  state_->panes.clear();
  state_->kept.clear();
  state_->engine = std::move(engine);
  state_->model = std::move(model);
}

void Sweeper::setPane(int pane, const PicturePtr& picture, const MethodChoice& choice) {
  if (picture == nullptr || state_->engine == nullptr || compressionKnob(choice) == nullptr) {
    removePane(pane);
    return;
  }
  MethodChoice complete = choice;
  complete.settings = completeSettings(choice);
  const auto shown = state_->panes.find(pane);
  if (shown != state_->panes.end() && shown->second->covers(*picture, complete)) return;
  state_->panes[pane] = state_->curveFor(picture, complete);
  emit changed(pane);
  state_->schedule();
}

void Sweeper::removePane(int pane) {
  if (state_->panes.erase(pane) > 0) emit changed(pane);
}

void Sweeper::setEnabled(bool enabled) {
  if (enabled == state_->enabled) return;
  state_->enabled = enabled;
  if (enabled) {
    state_->schedule();
  } else {
    state_->stop();
  }
}

SweepPtr Sweeper::sweep(int pane) const {
  const auto shown = state_->panes.find(pane);
  return shown == state_->panes.end() ? nullptr : shown->second->sweep();
}

}  // namespace adamerge::ui
