// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/workbench.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

#include "adamerge/error.h"
#include "bench/data.h"
#include "bench/kept_results.h"
#include "bench/traces.h"

namespace adamerge::ui {

ChoiceCommand::ChoiceCommand(Apply apply, int pane, MethodChoice before, MethodChoice after,
                             const QString& text, QString key, unsigned session)
    : QUndoCommand(text),
      apply_(std::move(apply)),
      pane_(pane),
      before_(std::move(before)),
      after_(std::move(after)),
      key_(std::move(key)),
      session_(session) {}

void ChoiceCommand::undo() { apply_(pane_, before_); }

void ChoiceCommand::redo() { apply_(pane_, after_); }

bool ChoiceCommand::mergeWith(const QUndoCommand* other) {
  const auto* next = static_cast<const ChoiceCommand*>(other);
  if (key_.isEmpty() || next->key_ != key_ || next->pane_ != pane_ || next->session_ != session_) {
    return false;
  }
  after_ = next->after_;
  setText(next->text());
  setObsolete(sameChoice(before_, after_));
  return true;
}

FlopsMatcher::FlopsMatcher(Inspector& inspector, Sweeper& sweeper, QObject* parent)
    : QObject(parent), inspector_(inspector), sweeper_(sweeper) {
  connect(&inspector_, &Inspector::matched, this, [this](int pane, int value) {
    const auto wanted = wanted_.extract(pane);
    if (wanted.empty()) return;
    emit found(pane, withCompression(wanted.mapped().choice, value), wanted.mapped().purpose);
  });
}

void FlopsMatcher::match(const Pane& pane, const PicturePtr& picture, double target,
                         Purpose purpose) {
  if (pane.compressionSetting() == nullptr || picture == nullptr) return;
  sweeper_.setPane(pane.index(), picture, pane.choice());
  const SweepPtr sweep = sweeper_.sweep(pane.index());
  if (const auto value = sweep ? valueNearest(*sweep, target) : std::nullopt) {
    forget(pane.index());
    emit found(pane.index(), withCompression(pane.choice(), *value), purpose);
    return;
  }
  wanted_[pane.index()] = {pane.choice(), purpose};
  inspector_.requestFlops(pane.index(), picture, pane.choice(), target);
}

void FlopsMatcher::forget(int pane) {
  if (wanted_.erase(pane) > 0) inspector_.cancelFlops(pane);
}

namespace {

constexpr int kMostSteps = 500;  ///< of the history
/// FLOPs that differ by less are called equal, in shares: a step of the slider may be as large.
constexpr double kEqualFlops = 0.02;

/// Without what was only a default of the model before (null: of none), so that the next one's own
/// may take its place.
MethodChoice withoutDefaults(MethodChoice choice, const LoadedModel* before) {
  const MethodChoice bare{choice.method, {}, nullptr, false};
  const Settings defaults =
      before != nullptr ? completeSettings(bare, before->info.vit) : completeSettings(bare);
  for (const SettingInfo& setting : findMethod(choice.method).settings) {
    const auto found = choice.settings.find(setting.key);
    const auto fallback = defaults.find(setting.key);
    if (setting.of_model && found != choice.settings.end() && fallback != defaults.end() &&
        found->second == fallback->second) {
      choice.settings.erase(found);
    }
  }
  return choice;
}

/// A change of the overlay; moves of one slider are one step.
class OverlayCommand : public QUndoCommand {
 public:
  OverlayCommand(ViewState& view, const OverlayStyle& before)
      : QUndoCommand(QObject::tr("overlay")),
        view_(view),
        before_(before),
        after_(view.overlay()) {}
  int id() const override { return 2; }
  void undo() override { view_.setOverlay(before_); }
  void redo() override { view_.setOverlay(after_); }
  bool mergeWith(const QUndoCommand* other) override {
    const auto& next = static_cast<const OverlayCommand&>(*other);
    if (!changesOpacityAlone() || !next.changesOpacityAlone()) return false;
    after_ = next.after_;
    setObsolete(before_ == after_);
    return true;
  }

 private:
  bool changesOpacityAlone() const {
    OverlayStyle same = before_;
    same.opacity = after_.opacity;
    return same == after_;
  }

  ViewState& view_;
  OverlayStyle before_;
  OverlayStyle after_;
};

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
  lenses_ = std::make_unique<Lenses>(worker_, inputs);
  calibration_ = std::make_unique<CalibrationTask>(worker_);
  evaluation_ = std::make_unique<EvaluationTask>();
  matcher_ = std::make_unique<FlopsMatcher>(*inspector_, *sweeper_);
  for (int index = 0; index < kMostPanes; ++index) panes_.push_back(std::make_unique<Pane>(index));
  panes_.front()->setChoice(firstChoice(0));
  history_.setUndoLimit(kMostSteps);
  connectParts();
}

Workbench::~Workbench() {
  // Its commands call back into this object.
  history_.clear();
}

void Workbench::connectParts() {
  connect(models_.get(), &ModelLoader::loaded, this, &Workbench::adoptLoaded);
  connect(models_.get(), &ModelLoader::failed, this, &Workbench::failed);
  connect(pictures_.get(), &PictureLoader::loaded, this, [this](const PicturePtr& picture) {
    adoptPicture(picture, picture_ != nullptr && sameStream(*picture_, *picture));
  });
  connect(pictures_.get(), &PictureLoader::failed, this, &Workbench::failed);
  connect(&view_, &ViewState::overlayEdited, this,
          [this](const OverlayStyle& before) { history_.push(new OverlayCommand(view_, before)); });
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
  for (const auto& pane : panes_) {
    connect(pane.get(), &Pane::inspectionChanged, this, [this, index = pane->index()] {
      // A change from another canvas's run is that canvas's as well.
      if (view_.overlay().from_other) return showLenses();
      showLens(index);
    });
  }
  const auto show_all = [this] { showLenses(); };
  connect(&view_, &ViewState::overlayChanged, this, show_all);
  connect(&view_, &ViewState::blockChanged, this, show_all);
  connect(&view_, &ViewState::selectionChanged, this, show_all);
  connect(this, &Workbench::paneCountChanged, this, show_all);
  connect(&view_, &ViewState::hoverChanged, this, [this] {
    if (view_.overlay().kind == OverlayKind::kSimilarity) showLenses();
  });
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
    pane->setChoice(fitted(withoutDefaults(choice, before.get())));
  }
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
  pane.setResult(inspection, inspection->model != model_ || inspection->picture != picture_ ||
                                 !sameChoice(inspection->choice, pane.choice()));
  if (index == 0) {
    for (int other = 1; other < pane_count_; ++other) follow(other);
  }
  takeNextFrame();
}

void Workbench::refused(int index, const QString& message) {
  panes_[static_cast<std::size_t>(index)]->setBusy(false);
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

namespace {

// The panes' methods and settings: edits with history, their number, equal FLOPs.

/// What the panes show when they first appear, as far as no other pane shows it.
constexpr std::array<const char*, 4> kFirstMethods{"adamerge", "tome", "pitome", "dsm"};
/// The same in networks that restore their grid.
constexpr std::array<const char*, 4> kFirstInside{"adamerge", "tome", "structsam", "none"};

}  // namespace

MethodChoice Workbench::firstChoice(int index) const {
  const bool inside = model_ != nullptr && model_->info.vit.restores();
  const auto& first = inside ? kFirstInside : kFirstMethods;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const std::string id = first[(i + static_cast<std::size_t>(index)) % first.size()];
    const bool used = std::any_of(panes_.begin(), panes_.begin() + index,
                                  [&](const auto& pane) { return pane->choice().method == id; });
    if (!used) return {id, {}, nullptr, false};
  }
  return {first[static_cast<std::size_t>(index)], {}, nullptr, false};
}

MethodChoice Workbench::fitted(const MethodChoice& choice) const {
  MethodChoice result = choice;
  if (model_ == nullptr) {
    result.settings = completeSettings(choice);
    return result;
  }
  const VitConfig& vit = model_->info.vit;
  const MethodInfo& method = findMethod(choice.method);
  const bool of_others =
      std::any_of(choice.settings.begin(), choice.settings.end(), [&](const auto& entry) {
        const SettingInfo* setting = method.setting(entry.first);
        if (setting == nullptr) return false;
        if (setting->scope == SettingScope::kSequence) return vit.restores();
        const bool inside =
            setting->scope == SettingScope::kInside || setting->scope == SettingScope::kWindowed;
        return inside && !vit.restores();
      });
  // Completed for a network that does not restore its grid, or the other way round.
  for (const char* key : {"position", "proportional_attention", "blocks"}) {
    if (of_others) result.settings.erase(key);
  }
  result.settings = completeSettings(result, vit);
  for (const CompressionKnob& knob : findMethod(choice.method).compression) {
    const auto found = result.settings.find(knob.key);
    if (found == result.settings.end()) continue;  // of other networks
    auto& value = std::get<std::int64_t>(found->second);
    value = std::clamp<std::int64_t>(value, knob.least, knob.mostOf(result.settings, vit));
  }
  for (const SettingInfo& setting : findMethod(choice.method).settings) {
    if (const auto found = result.settings.find(setting.key);
        found != result.settings.end() && !suits(setting, vit)) {
      found->second = setting.fallback;
    }
  }
  if (result.statistics != nullptr && result.statistics->depth != vit.depth) {
    result.statistics.reset();
  }
  return result;
}

std::optional<MethodChoice> Workbench::checked(const MethodChoice& choice) {
  std::optional<MethodChoice> result;
  try {
    result = fitted(choice);
    // What takes long is left to the run: this is the window's own thread.
    std::stop_source at_once;
    at_once.request_stop();
    if (const auto present = engine()) present->prepare(*result, at_once.get_token());
  } catch (const Cancelled&) {
    return result;
  } catch (const Error& error) {
    emit failed(errorText(error));
    return std::nullopt;
  }
  return result;
}

void Workbench::edit(int index, const MethodChoice& choice, const QString& what,
                     const QString& key) {
  if (showsTrace(index)) {
    emit failed(
        tr("This canvas shows a trace, and its method is its own: compare with two canvases to see "
           "a method of the studio beside it."));
    return;
  }
  const auto wanted = checked(choice);
  if (!wanted || sameChoice(*wanted, pane(index).choice())) return;
  history_.push(new ChoiceCommand(
      [this](int changed, const MethodChoice& to) {
        unmatched_.erase(changed);
        apply(changed, fitted(to), Urgency::kInteractive);
        follow(changed);
      },
      index, pane(index).choice(), *wanted, what, key, edit_session_));
}

void Workbench::endEdit() { ++edit_session_; }

void Workbench::restoreChoice(int index, const MethodChoice& choice) {
  const auto wanted = checked(choice);
  if (!wanted) return;
  shown_before_.insert(index);
  unmatched_.erase(index);
  apply(index, *wanted, Urgency::kInteractive);
  follow(index);
}

void Workbench::setCompression(int index, int value) {
  const SettingInfo* setting = pane(index).compressionSetting();
  if (setting == nullptr || follows(index)) return;
  const double most = model_ != nullptr ? pane(index).compressionLimit(model_->info.vit)
                                        : setting->maximum.value_or(value);
  const int bounded = std::clamp(value, static_cast<int>(setting->minimum.value_or(0)),
                                 std::max(0, static_cast<int>(most)));
  edit(index, withCompression(pane(index).choice(), bounded), tr("compression"),
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
    pane(index).setChoice(fitted(firstChoice(index)));
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

void Workbench::showLens(int index) {
  const int other = index == 0 ? 1 : 0;
  lenses_->show(pane(index), other < pane_count_ ? &pane(other) : nullptr, view_);
}

void Workbench::showLenses() {
  for (int index = 0; index < pane_count_; ++index) showLens(index);
}

std::optional<ValueRange> rangeOfAll(Workbench& workbench, OverlayKind kind, SalienceScale scale) {
  std::vector<float> values;
  for (int index = 0; index < workbench.paneCount(); ++index) {
    const InspectionPtr inspection = workbench.pane(index).inspection();
    if (inspection == nullptr) continue;
    const LensShownPtr lens = workbench.pane(index).lens();
    for (int block = 0; block < inspection->depth(); ++block) {
      const LensMap* map = lens == nullptr ? nullptr : lens->map(*inspection, kind, block);
      if (map == nullptr && lensOf(kind)) continue;
      const std::vector<float>& own =
          map != nullptr ? map->values
                         : inspection->result.layers[static_cast<std::size_t>(block)].salience;
      std::copy_if(own.begin(), own.end(), std::back_inserter(values),
                   [](float value) { return std::isfinite(value); });
    }
  }
  if (values.empty()) return std::nullopt;
  const ValueRange range = rangeOf(values, scale);
  return range.lowest < range.highest ? std::optional(range) : std::nullopt;
}

QString unequalFlops(Workbench& workbench, int index) {
  if (!workbench.equalFlops() || index == 0 || index >= workbench.paneCount()) return {};
  Pane& pane = workbench.pane(index);
  const InspectionPtr own = pane.inspection();
  const InspectionPtr first = workbench.pane(0).inspection();
  const LoadedModelPtr model = workbench.model();
  if (own == nullptr || first == nullptr || model == nullptr || pane.busy() ||
      own->picture != first->picture || own->traced != nullptr || first->traced != nullptr) {
    return {};
  }
  const double unmerged = model->unmerged.paper;
  const double there = own->result.flops.paper;
  const double wanted = first->result.flops.paper;
  if (std::abs(there - wanted) <= kEqualFlops * unmerged) return {};
  const CompressionKnob* knob = compressionKnob(pane.choice());
  if (knob == nullptr) {
    return QObject::tr("not at equal FLOPs: this method merges nothing that could follow");
  }
  return QObject::tr("not at equal FLOPs: %1 % is the nearest it reaches, %2 % are wanted")
      .arg(100 * there / unmerged, 0, 'f', 1)
      .arg(100 * wanted / unmerged, 0, 'f', 1);
}

}  // namespace adamerge::ui
