// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/status_strip.h"

#include <QHBoxLayout>
#include <QStackedWidget>

#include "controls/busy_indicator.h"
#include "controls/labels.h"
#include "shell/device_picker.h"
#include "shell/load_progress.h"
#include "shell/model_summary.h"
#include "state/workbench.h"

namespace adamerge::ui {

StatusStrip::StatusStrip(Workbench& workbench, QWidget* parent)
    : QWidget(parent),
      workbench_(workbench),
      pages_(new QStackedWidget(this)),
      model_(new ElidedLabel(this)),
      progress_(new LoadProgress(this)),
      busy_(new BusyIndicator(this)),
      devices_(new DevicePicker(this)),
      hint_(new ElidedLabel(this)) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(6, 0, 6, 0);
  row->setSpacing(10);
  // Name and progress share a place, so that nothing else moves while a model loads.
  pages_->addWidget(model_);
  pages_->addWidget(progress_);
  row->addWidget(pages_, 1);
  row->addWidget(hint_, 2);
  row->addWidget(busy_);
  row->addWidget(devices_);
  hint_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  model_->setElideMode(Qt::ElideMiddle);
  model_->setObjectName(QStringLiteral("model"));

  connect(devices_, &DevicePicker::changed, this, &StatusStrip::reload);
  connect(&workbench_, &Workbench::modelChanged, this, &StatusStrip::showModel);
  connectLoader();
  watchPanes();
  showModel();
  probe_ = std::jthread([this] {
    std::vector<Device> devices = availableDevices();
    QMetaObject::invokeMethod(
        this, [this, devices = std::move(devices)] { devices_->setDevices(devices); },
        Qt::QueuedConnection);
  });
}

EngineOptions StatusStrip::options() const {
  EngineOptions options = workbench_.models().options();
  options.device = devices_->device();
  options.dtype = devices_->dtype();
  return options;
}

void StatusStrip::setHint(const QString& text) { hint_->setText(text); }

void StatusStrip::connectLoader() {
  ModelLoader& loader = workbench_.models();
  connect(&loader, &ModelLoader::started, this, [this](const QString& name) {
    progress_->start(name);
    pages_->setCurrentWidget(progress_);
  });
  connect(&loader, &ModelLoader::progressed, progress_, &LoadProgress::report);
  connect(progress_, &LoadProgress::cancelled, &loader, &ModelLoader::cancel);
  // The present model's settings come back into the boxes; the workbench says what went wrong.
  connect(&loader, &ModelLoader::failed, this, &StatusStrip::showModel);
  connect(&loader, &ModelLoader::cancelled, this, &StatusStrip::showModel);
}

void StatusStrip::reload() {
  if (const LoadedModelPtr model = workbench_.model()) {
    workbench_.models().load(model->info.source, options());
  }
}

void StatusStrip::showModel() {
  const ModelLoader& loader = workbench_.models();
  if (loader.loading()) return;
  pages_->setCurrentWidget(model_);
  const LoadedModelPtr model = workbench_.model();
  if (model == nullptr) {
    model_->setText(tr("No model"));
    model_->setToolTip(tr("Open a model folder or a weight file, or drop one on the window."));
    return;
  }
  model_->setText(QString::fromStdString(model->info.name));
  model_->setToolTip(modelSummary(*model));
  devices_->show(model->device, model->dtype, loader.options().dtype == "auto");
}

void StatusStrip::watchPanes() {
  const auto watch = [this] {
    for (int index = 0; index < workbench_.paneCount(); ++index) {
      connect(&workbench_.pane(index), &Pane::busyChanged, this, &StatusStrip::tellBusy,
              Qt::UniqueConnection);
    }
    tellBusy();
  };
  connect(&workbench_, &Workbench::paneCountChanged, this, watch);
  watch();
}

void StatusStrip::tellBusy() {
  bool busy = false;
  for (int index = 0; index < workbench_.paneCount(); ++index) {
    busy = busy || workbench_.pane(index).busy();
  }
  busy_->setBusy(busy);
}

}  // namespace adamerge::ui
