// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/workbench.h"

#include <algorithm>
#include <utility>

#include "adamerge/error.h"
#include "bench/choices.h"
#include "bench/data.h"
#include "bench/kept_results.h"
#include "bench/traces.h"

namespace adamerge::ui {
namespace {

/// Whether results of `before` may stay on screen until those of `after` come.
bool sameShape(const VitConfig& before, const VitConfig& after) {
  return before.depth == after.depth && before.gridWidth() == after.gridWidth() &&
         before.gridHeight() == after.gridHeight() && before.classes == after.classes;
}

}  // namespace

Workbench::Workbench(QObject* parent)
    : QObject(parent),
      worker_(std::make_shared<Worker>()),
      models_(std::make_unique<ModelLoader>()),
      pictures_(std::make_unique<PictureLoader>()) {
  const auto inputs = std::make_shared<PictureInputs>();
  inspector_ = std::make_unique<Inspector>(worker_, nullptr, inputs);
  sweeper_ = std::make_unique<Sweeper>(worker_, nullptr, inputs);
  calibration_ = std::make_unique<CalibrationTask>(worker_);
  evaluation_ = std::make_unique<EvaluationTask>();
  matcher_ = std::make_unique<FlopsMatcher>(*inspector_, *sweeper_);
  for (int index = 0; index < kMostPanes; ++index) panes_.push_back(std::make_unique<Pane>(index));
  lenses_ = std::make_unique<Lenses>(worker_, inputs, panes_, view_);
  panes_.front()->setChoice(firstChoice(0));
  edits_ = std::make_unique<Edits>(*this, worker_);
  connectParts();
}

Workbench::~Workbench() = default;

void Workbench::connectParts() {
  connect(models_.get(), &ModelLoader::loaded, this, &Workbench::adoptLoaded);
  connect(models_.get(), &ModelLoader::failed, this, &Workbench::failed);
  connect(pictures_.get(), &PictureLoader::loaded, this, [this](const PicturePtr& picture) {
    adoptPicture(picture, picture_ != nullptr && sameStream(*picture_, *picture));
  });
  connect(pictures_.get(), &PictureLoader::failed, this, &Workbench::failed);
  connect(&view_, &ViewState::overlayEdited, this,
          [this](const OverlayStyle& before) { edits_->editOverlay(view_, before); });
  connect(edits_.get(), &Edits::taken, this, &Workbench::take);
  connect(edits_.get(), &Edits::refused, this, [this](int index, const QString& message) {
    emit failed(message);
    emit choiceRefused(index);
  });
  connect(edits_.get(), &Edits::checked, this, [this](int index) {
    pane(index).setBusy(false);
    request(pane(index), Urgency::kInteractive);
  });
  connect(inspector_.get(), &Inspector::ready, this, &Workbench::received);
  connect(inspector_.get(), &Inspector::failed, this, &Workbench::refused);
  connect(matcher_.get(), &FlopsMatcher::found, this,
          [this](int index, const MethodChoice& choice, FlopsMatcher::Purpose purpose) {
            if (!sameButCompression(choice, pane(index).choice())) return;
            if (purpose == FlopsMatcher::Purpose::kUser) {
              edit(index, choice, tr("target FLOPs"), QStringLiteral("compression"));
              return;
            }
            unmatched_.erase(index);
            apply(index, choice, Urgency::kFollowUp);
          });
  connect(lenses_.get(), &Lenses::failed, this, &Workbench::failed);
  connect(this, &Workbench::paneCountChanged, lenses_.get(), &Lenses::setShown);
  // A complete sweep knows the nearest value where the search only came close: AdaMerge's FLOPs do
  // not fall with every step of r_max.
  connect(sweeper_.get(), &Sweeper::changed, this, [this](int index) {
    const SweepPtr sweep = sweeper_->sweep(index);
    if (sweep != nullptr && sweep->complete) follow(index);
  });
}

std::shared_ptr<const Engine> Workbench::engine() const { return inspector_->engine(); }

void Workbench::adoptLoaded(const std::shared_ptr<Engine>& engine, LoadedModelPtr model) {
  const bool again = model_ != nullptr && model_->info.source == model->info.source;
  if (!again) chosen_statistics_.reset();
  own_statistics_ = engine->statistics();
  if (chosen_statistics_ != nullptr) {
    engine->setStatistics(chosen_statistics_);
    model = describeModel(*engine);
  }
  adoptModel(engine, std::move(model));
}

void Workbench::adoptModel(std::shared_ptr<Engine> engine, LoadedModelPtr model) {
  evaluation_->stop();
  const LoadedModelPtr before = std::exchange(model_, std::move(model));
  const bool keep = before != nullptr && sameShape(before->info.vit, model_->info.vit);
  inspector_->setEngine(engine, model_);
  sweeper_->setEngine(engine, model_);
  lenses_->setEngine(engine);
  for (const auto& pane : panes_) {
    matcher_->forget(pane->index());
    pane->setBusy(false);
    if (!keep || pane->index() >= pane_count_) pane->setInspection(nullptr);
    // What nobody chose gives way to what the model runs.
    const bool chosen = !unmatched_.contains(pane->index());
    const MethodChoice choice = chosen || runsIn(pane->choice().method, model_->info.vit)
                                    ? pane->choice()
                                    : firstChoice(pane->index());
    pane->setChoice(fitted(withoutDefaults(choice, before.get()), model_.get()));
  }
  edits_->checkAgain();
  if (!keep) {
    view_.select(std::nullopt);
    view_.hover(std::nullopt);
  }
  showDepth();
  emit modelChanged();
  requestAll();
}

void Workbench::useStatistics(std::shared_ptr<const Statistics> statistics) {
  setStatistics(statistics, statistics);
}

void Workbench::useOwnStatistics() {
  if (chosen_statistics_ != nullptr) setStatistics(own_statistics_, nullptr);
}

void Workbench::setStatistics(std::shared_ptr<const Statistics> used,
                              std::shared_ptr<const Statistics> chosen) {
  const std::shared_ptr<Engine> engine = inspector_->engine();
  if (engine == nullptr) return;
  // Before: no image is to be measured half under these.
  evaluation_->stop();
  try {
    engine->setStatistics(std::move(used));
  } catch (const Error& error) {
    emit failed(errorText(error));
    return;
  }
  chosen_statistics_ = std::move(chosen);
  adoptModel(engine, describeModel(*engine));
}

void Workbench::showPicture(PicturePtr picture) {
  if (picture == nullptr) return;
  const bool stream = picture_ != nullptr && sameStream(*picture_, *picture);
  if (stream && busy()) {
    next_frame_ = std::move(picture);
    return;
  }
  adoptPicture(std::move(picture), stream);
}

void Workbench::takeNextFrame() {
  if (next_frame_ != nullptr && !busy()) {
    adoptPicture(std::exchange(next_frame_, nullptr), /*keep_results=*/true);
  }
}

/// True: it went into another canvas, beside the picture that is shown.
bool Workbench::placeTrace(const PicturePtr& picture) {
  if (picture->traced == nullptr) {
    traces_.clear();
    return false;
  }
  bool known = false;
  for (auto& [index, trace] : traces_) {
    if (!sameStream(*trace, *picture)) continue;
    trace = picture;
    known = true;
  }
  const bool beside =
      picture_ != nullptr && !traces_.empty() && picture_->pixels.size() == picture->pixels.size();
  if (!known && beside && !traces_.contains(active_)) {
    traces_[active_] = picture;
    known = true;
  } else if (!known) {
    traces_ = {{active_, picture}};
  }
  if (!known || sameStream(*picture_, *picture)) return false;
  showDepth();
  for (const auto& [index, trace] : traces_) request(pane(index), Urgency::kInteractive);
  emit tracesChanged();
  return true;
}

/// That of what is shown. At first the last block, which shows most of what merged.
void Workbench::showDepth() {
  int depth = model_ != nullptr ? model_->info.vit.depth : 0;
  if (static_cast<int>(traces_.size()) == pane_count_) depth = 0;
  for (const auto& [index, trace] : traces_) depth = std::max(depth, trace->traced->info->depth);
  const bool first = view_.depth() == 0;
  view_.setDepth(depth);
  if (first) view_.setBlock(depth - 1);
}

void Workbench::adoptPicture(PicturePtr picture, bool keep_results) {
  if (placeTrace(picture)) return;
  next_frame_.reset();
  unshown_.reset();
  picture_ = std::move(picture);
  for (const auto& pane : panes_) {
    matcher_->forget(pane->index());
    if (!keep_results || pane->index() >= pane_count_) release(*pane);
  }
  if (!keep_results) {
    view_.select(std::nullopt);
    view_.hover(std::nullopt);
  }
  showDepth();
  emit pictureChanged();
  emit tracesChanged();
  requestAll();
}

void Workbench::closePicture() {
  if (picture_ == nullptr && !unshown_) return;
  next_frame_.reset();
  picture_.reset();
  unshown_.reset();
  traces_.clear();
  for (const auto& pane : panes_) release(*pane);
  showDepth();
  view_.select(std::nullopt);
  view_.hover(std::nullopt);
  emit pictureChanged();
  emit tracesChanged();
}

void Workbench::showUnreadable(const QString& name, const QString& why) {
  closePicture();
  unshown_ = Unshown{name, why};
  emit pictureChanged();
}

void Workbench::received(int index, const InspectionPtr& inspection) {
  Pane& pane = *panes_[static_cast<std::size_t>(index)];
  pane.setResult(inspection, edits_->isChecking(index) || inspection->model != model_ ||
                                 inspection->picture != picture_ ||
                                 !sameChoice(inspection->choice, pane.choice()));
  if (index == 0) {
    for (int other = 1; other < pane_count_; ++other) follow(other);
  }
  takeNextFrame();
}

void Workbench::refused(int index, const QString& message) {
  panes_[static_cast<std::size_t>(index)]->setBusy(edits_->isChecking(index));
  emit failed(message);
  takeNextFrame();
}

void Workbench::request(Pane& pane, Urgency urgency) {
  if (const auto trace = traces_.find(pane.index()); trace != traces_.end()) {
    inspector_->cancel(pane.index());
    sweeper_->removePane(pane.index());
    pane.setResult(inspectionOf(trace->second, picture_), false);
    return;
  }
  if (model_ == nullptr || picture_ == nullptr || pane.index() >= pane_count_) return;
  const InspectionPtr kept = inspector_->request(pane.index(), picture_, pane.choice(), urgency);
  sweeper_->setPane(pane.index(), picture_, pane.choice());
  if (kept == nullptr) {
    pane.setBusy(true);
  } else {
    received(pane.index(), kept);
  }
}

void Workbench::requestAll() {
  for (int index = 0; index < pane_count_; ++index) {
    request(pane(index), index == active_ ? Urgency::kInteractive : Urgency::kFollowUp);
  }
}

void Workbench::release(Pane& pane) {
  inspector_->cancel(pane.index());
  matcher_->forget(pane.index());
  sweeper_->removePane(pane.index());
  pane.setResult(nullptr, false);
}

bool Workbench::settled() const {
  return model_ != nullptr && picture_ != nullptr && !busy() &&
         std::all_of(panes_.begin(), panes_.begin() + pane_count_,
                     [](const auto& pane) { return pane->inspection() != nullptr; });
}

bool Workbench::busy() const {
  return std::any_of(panes_.begin(), panes_.begin() + pane_count_,
                     [](const auto& pane) { return pane->busy(); });
}

MethodChoice Workbench::firstChoice(int index) const {
  std::set<std::string> shown;
  for (int other = 0; other < index; ++other) shown.insert(panes_[other]->choice().method);
  return ui::firstChoice(index, shown, model_.get());
}

void Workbench::edit(int index, const MethodChoice& choice, const QString& what,
                     const QString& key) {
  if (!showsTrace(index)) return edits_->edit(index, choice, what, key);
  emit failed(
      tr("This canvas shows a trace, and its method is its own: compare with two canvases to see a "
         "method of the studio beside it."));
}

void Workbench::take(int index, const MethodChoice& choice) {
  shown_before_.insert(index);
  unmatched_.erase(index);
  apply(index, fitted(choice, model_.get()), Urgency::kInteractive);
  follow(index);
}

void Workbench::setCompression(int index, int value) {
  const SettingInfo* setting = pane(index).compressionSetting();
  if (setting == nullptr || follows(index)) return;
  const double least = setting->minimum.value_or(0);
  const double most = std::max(least, setting->maximum.value_or(value));
  const auto within = static_cast<int>(std::clamp<double>(value, least, most));
  edit(index, withCompression(pane(index).choice(), within), tr("compression"),
       QStringLiteral("compression"));
}

void Workbench::setTargetFlops(int index, double target) {
  if (follows(index)) return;
  matcher_->match(pane(index), picture_, target, FlopsMatcher::Purpose::kUser);
}

void Workbench::apply(int index, const MethodChoice& choice, Urgency urgency) {
  Pane& changed = pane(index);
  if (sameChoice(choice, changed.choice())) return;
  matcher_->forget(index);
  changed.setChoice(choice);
  request(changed, urgency);
}

std::vector<MethodChoice> Workbench::shownChoices() const {
  std::vector<MethodChoice> choices;
  for (int index = 0; index < pane_count_; ++index) {
    choices.push_back(panes_[static_cast<std::size_t>(index)]->choice());
  }
  return choices;
}

void Workbench::setPaneCount(int count) {
  const int wanted = count >= 4 ? 4 : std::clamp(count, 1, 2);
  if (wanted == pane_count_) return;
  const int before = std::exchange(pane_count_, wanted);
  for (int index = wanted; index < before; ++index) {
    release(pane(index));
    traces_.erase(index);
  }
  for (int index = before; index < wanted; ++index) {
    if (!shown_before_.insert(index).second) continue;
    pane(index).setChoice(fitted(firstChoice(index), model_.get()));
    unmatched_.insert(index);
  }
  if (active_ >= wanted) setActivePane(0);
  showDepth();
  emit paneCountChanged(wanted);
  emit tracesChanged();
  for (int index = before; index < wanted; ++index) {
    request(pane(index), Urgency::kFollowUp);
    follow(index);
  }
}

void Workbench::setActivePane(int index) {
  if (index == active_ || index < 0 || index >= pane_count_) return;
  active_ = index;
  emit activePaneChanged(index);
}

void Workbench::setEqualFlops(bool on) {
  if (on == equal_flops_) return;
  equal_flops_ = on;
  emit equalFlopsChanged(on);
  for (int index = 1; index < pane_count_; ++index) follow(index);
}

void Workbench::follow(int index) {
  if (index == 0 || index >= pane_count_ || !(equal_flops_ || unmatched_.contains(index))) return;
  const InspectionPtr first = pane(0).inspection();
  if (first == nullptr || first->model != model_ || first->picture != picture_) return;
  matcher_->match(pane(index), picture_, first->result.flops.paper, FlopsMatcher::Purpose::kFollow);
}

}  // namespace adamerge::ui
