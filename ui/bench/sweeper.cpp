// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/sweeper.h"

#include <QElapsedTimer>
#include <QTimer>
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <list>
#include <map>
#include <set>
#include <span>

#include "adamerge/engine.h"
#include "adamerge/error.h"
#include "bench/data.h"
#include "bench/jobs.h"
#include "bench/kept_results.h"

namespace adamerge::ui {

std::vector<int> coarseToFine(int limit) {
  std::vector<int> order{0};
  if (limit > 0) order.push_back(limit);
  const int bits = std::bit_width(static_cast<unsigned>(std::max(limit, 0)));
  for (int counter = 1; counter < 1 << bits; ++counter) {
    int value = 0;
    for (int bit = 0; bit < bits; ++bit) value |= (counter >> bit & 1) << (bits - 1 - bit);
    if (value < limit) order.push_back(value);
  }
  return order;
}

Curve::Curve(PicturePtr picture, const MethodChoice& choice, const VitConfig& vit)
    : picture_(std::move(picture)) {
  sweep_.choice = choice;
  const KnobRange range = knobRange(choice, vit);
  sweep_.limit = std::max(range.gentlest, range.strongest);
  order_ = coarseToFine(sweep_.limit);
  const int least = std::min(range.gentlest, range.strongest);
  std::erase_if(order_, [least](int value) { return value < least; });
}

bool Curve::covers(const Picture& picture, const MethodChoice& choice) const {
  return picture_->id == picture.id && sameButCompression(sweep_.choice, choice);
}

std::optional<MethodChoice> Curve::next() const {
  if (failed_ || sweep_.complete) return std::nullopt;
  return withCompression(sweep_.choice, order_[next_]);
}

void Curve::add(const SweepPoint& point) {
  if (sweep_.complete || point.value != order_[next_]) return;
  const auto after =
      std::upper_bound(sweep_.points.begin(), sweep_.points.end(), point.value,
                       [](int value, const SweepPoint& other) { return value < other.value; });
  sweep_.points.insert(after, point);
  sweep_.complete = ++next_ == order_.size();
  shared_.reset();
}

SweepPtr Curve::sweep() const {
  if (shared_ == nullptr) shared_ = std::make_shared<const Sweep>(sweep_);
  return shared_;
}

namespace {

constexpr const char* kSweepKey = "sweep";
constexpr int kSignalInterval = 100;  ///< ms
constexpr std::size_t kKeptCurves = 24;

SweepPoint measure(const Engine& engine, const LoadedModel& model, const Picture& picture,
                   const MethodChoice& choice, PictureInputs& inputs, const std::stop_token& stop) {
  const auto baseline = inputs.baseline(engine, model, picture, stop);
  const auto prepared = inputs.prepared(model, picture);
  const ImageResult result =
      engine.run(std::span(&prepared->input, 1), choice, {.trace = false}, stop).front();
  SweepPoint point;
  point.value = compressionOf(choice);
  point.flops = result.flops;
  point.tokens = result.layers.back().tokens_out;
  point.logit_cosine = embeddingCosine(*baseline, result);
  if (result.logits.empty()) return point;
  const Fidelity fidelity = compareLogits(baseline->logits, result.logits);
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

Sweeper::CurvePtr Sweeper::curveFor(const PicturePtr& picture, const MethodChoice& choice) {
  const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const CurvePtr& curve) {
    return curve->covers(*picture, choice);
  });
  if (found != kept_.end()) {
    kept_.splice(kept_.begin(), kept_, found);
  } else {
    // Curves of pictures that are closed would keep their pixels.
    std::erase_if(kept_, [&](const CurvePtr& curve) { return curve->picture() != picture; });
    kept_.push_front(std::make_shared<Curve>(picture, choice, model_->info.vit));
    if (kept_.size() > kKeptCurves) kept_.pop_back();
  }
  return kept_.front();
}

void Sweeper::schedule() {
  if (computing_ || !enabled_ || engine_ == nullptr) return;
  CurvePtr curve;
  for (const auto& [pane, candidate] : panes_) {
    if (!candidate->next()) continue;
    if (curve == nullptr || candidate->computed() < curve->computed()) curve = candidate;
  }
  if (curve == nullptr) return;
  computing_ = true;
  // Interrupted by something more urgent after its end, a step would run again.
  const auto done = std::make_shared<std::atomic<bool>>(false);
  jobs_.run(
      kSweepKey, Urgency::kBackground,
      [this, done, curve, choice = *curve->next(), picture = curve->picture(), engine = engine_,
       model = model_, inputs = inputs_](const std::stop_token& stop, const Jobs::Tell& say) {
        if (*done) return;
        const SweepPoint point = measure(*engine, *model, *picture, choice, *inputs, stop);
        *done = true;
        say([this, curve, point] { received(curve, point); });
      },
      // The pane's own run says what is wrong.
      [this, curve](const QString&) { received(curve, std::nullopt); });
}

void Sweeper::stop() {
  computing_ = false;
  jobs_.cancel(kSweepKey);
}

void Sweeper::received(const CurvePtr& curve, const std::optional<SweepPoint>& point) {
  computing_ = false;
  if (point) {
    curve->add(*point);
  } else {
    curve->giveUp();
  }
  for (const auto& [pane, shown] : panes_) {
    if (shown == curve) unsaid_.insert(pane);
  }
  if (!unsaid_.empty() && !timer_.isActive()) timer_.start();
  schedule();
}

void Sweeper::tell() {
  for (const int pane : std::exchange(unsaid_, {})) emit changed(pane);
}

Sweeper::Sweeper(std::shared_ptr<Worker> worker, QObject* parent,
                 std::shared_ptr<PictureInputs> inputs)
    : QObject(parent),
      inputs_(inputs != nullptr ? std::move(inputs) : std::make_shared<PictureInputs>()),
      jobs_(this, std::move(worker)) {
  timer_.setSingleShot(true);
  timer_.setInterval(kSignalInterval);
  connect(&timer_, &QTimer::timeout, this, &Sweeper::tell);
}

void Sweeper::setEngine(std::shared_ptr<const Engine> engine, LoadedModelPtr model) {
  stop();
  panes_.clear();
  kept_.clear();
  engine_ = std::move(engine);
  model_ = std::move(model);
}

void Sweeper::setPane(int pane, const PicturePtr& picture, const MethodChoice& choice) {
  if (picture == nullptr || engine_ == nullptr || compressionKnob(choice) == nullptr) {
    removePane(pane);
    return;
  }
  MethodChoice complete = choice;
  complete.settings = completeSettings(choice);
  const auto shown = panes_.find(pane);
  if (shown != panes_.end() && shown->second->covers(*picture, complete)) return;
  panes_[pane] = curveFor(picture, complete);
  emit changed(pane);
  schedule();
}

void Sweeper::removePane(int pane) {
  if (panes_.erase(pane) > 0) emit changed(pane);
}

void Sweeper::setEnabled(bool enabled) {
  if (enabled == enabled_) return;
  enabled_ = enabled;
  if (enabled) {
    schedule();
  } else {
    stop();
  }
}

SweepPtr Sweeper::sweep(int pane) const {
  const auto shown = panes_.find(pane);
  return shown == panes_.end() ? nullptr : shown->second->sweep();
}

}  // namespace adamerge::ui
