// SPDX-License-Identifier: GPL-3.0-or-later
// Model, picture and results; the panes' settings are in workbench_panes.cpp.
#include "state/workbench.h"

#include <algorithm>

#include "adamerge/error.h"
#include "compute/choice_family.h"
#include "compute/error_text.h"
#include "compute/picture_inputs.h"

namespace adamerge::ui {
namespace {

constexpr int kPanes = 4;

/// Whether results of `before` may stay on screen until those of `after` come.
bool sameShape(const VitConfig& before, const VitConfig& after) {
  return before.depth == after.depth && before.gridWidth() == after.gridWidth() &&
         before.gridHeight() == after.gridHeight() && before.classes == after.classes;
}

bool sameStream(const Picture& frame, const Picture& next) {
  return frame.name == next.name && frame.pixels.size() == next.pixels.size();
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
  for (int index = 0; index < kPanes; ++index) panes_.push_back(std::make_unique<Pane>(index));
  panes_.front()->setChoice(firstChoice(0));
  connectParts();
}

Workbench::~Workbench() {
  // Its commands call back into this object.
  history_.clear();
}

void Workbench::connectParts() {
  connect(models_.get(), &ModelLoader::loaded, this, &Workbench::adoptLoaded);
  connect(models_.get(), &ModelLoader::failed, this, &Workbench::failed);
  connect(pictures_.get(), &PictureLoader::loaded, this,
          [this](const PicturePtr& picture) { adoptPicture(picture, /*keep_results=*/false); });
  connect(pictures_.get(), &PictureLoader::failed, this, &Workbench::failed);
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
  for (const auto& pane : panes_) {
    matcher_->forget(pane->index());
    pane->setBusy(false);
    if (!keep || pane->index() >= pane_count_) pane->setInspection(nullptr);
    pane->setChoice(fitted(pane->choice()));
  }
  if (!keep) {
    view_.select(std::nullopt);
    view_.hover(std::nullopt);
  }
  const bool first = view_.depth() == 0;
  view_.setDepth(model_->info.vit.depth);
  // The last block shows most of what merged.
  if (first) view_.setBlock(view_.depth() - 1);
  emit modelChanged();
  requestAll();
}

void Workbench::useStatistics(std::shared_ptr<const Statistics> statistics) {
  const std::shared_ptr<Engine> engine = inspector_->engine();
  if (engine == nullptr) return;
  // Before: no image is to be measured half under these.
  evaluation_->stop();
  try {
    engine->setStatistics(statistics);
  } catch (const Error& error) {
    emit failed(errorText(error));
    return;
  }
  chosen_statistics_ = std::move(statistics);
  adoptModel(engine, describeModel(*engine));
}

void Workbench::useOwnStatistics() {
  if (chosen_statistics_ == nullptr) return;
  useStatistics(own_statistics_);
  chosen_statistics_.reset();
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

void Workbench::adoptPicture(PicturePtr picture, bool keep_results) {
  next_frame_.reset();
  picture_ = std::move(picture);
  for (const auto& pane : panes_) {
    matcher_->forget(pane->index());
    if (!keep_results || pane->index() >= pane_count_) release(*pane);
  }
  if (!keep_results) {
    view_.select(std::nullopt);
    view_.hover(std::nullopt);
  }
  emit pictureChanged();
  requestAll();
}

void Workbench::closePicture() {
  if (picture_ == nullptr) return;
  next_frame_.reset();
  picture_.reset();
  for (const auto& pane : panes_) release(*pane);
  view_.select(std::nullopt);
  view_.hover(std::nullopt);
  emit pictureChanged();
}

void Workbench::received(int index, const InspectionPtr& inspection) {
  Pane& pane = *panes_[static_cast<std::size_t>(index)];
  pane.setInspection(inspection);
  pane.setBusy(inspection->model != model_ || inspection->picture != picture_ ||
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
  pane.setBusy(false);
  pane.setInspection(nullptr);
}

bool Workbench::busy() const {
  return std::any_of(panes_.begin(), panes_.begin() + pane_count_,
                     [](const auto& pane) { return pane->busy(); });
}

}  // namespace adamerge::ui
