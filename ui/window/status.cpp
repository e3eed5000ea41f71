// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/status.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QProgressBar>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QStandardItemModel>
#include <QToolButton>

#include "bench/workbench.h"
#include "look/text.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

bool isCpu(const std::string& device) { return device == "cpu"; }

QString deviceLabel(const Device& device) {
  if (isCpu(device.id)) return QStringLiteral("CPU");
  return QString::fromStdString(device.name);
}

void addChoice(QComboBox* box, const QString& text, const std::string& data, const QString& help) {
  box->addItem(text, QString::fromStdString(data));
  box->setItemData(box->count() - 1, help, Qt::ToolTipRole);
}

/// An unknown value gets an item of its own: the box never shows what is not so.
void select(QComboBox* box, const std::string& data) {
  const QString wanted = QString::fromStdString(data);
  if (box->findData(wanted) < 0) box->addItem(wanted, wanted);
  box->setCurrentIndex(box->findData(wanted));
}

}  // namespace

DevicePicker::DevicePicker(QWidget* parent)
    : QWidget(parent), device_(new QComboBox(this)), dtype_(new QComboBox(this)) {
  auto* row = tightLayout<QHBoxLayout>(this, 6);
  for (QComboBox* box : {device_, dtype_}) {
    box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    box->setFocusPolicy(Qt::TabFocus);  // A wheel over the status bar must not switch devices.
    row->addWidget(box);
  }
  device_->setObjectName(QStringLiteral("device"));
  device_->setAccessibleName(tr("Device"));
  dtype_->setObjectName(QStringLiteral("precision"));
  dtype_->setAccessibleName(tr("Precision"));
  dtype_->setToolTip(
      tr("Precision of weights and arithmetic. Salience, similarities and counts are summed in at "
         "least float32 whatever is chosen. Changing it loads the model again."));
  addChoice(dtype_, tr("auto"), "auto",
            tr("The fastest that the device has arithmetic for: bfloat16 on a CPU that multiplies "
               "it and on a GPU from Ampere on, float16 on Volta and Turing, else float32."));
  addChoice(dtype_, QStringLiteral("float32"), "float32",
            tr("Full single precision, 24 significant bits: for results that are to be the same "
               "on every machine."));
  addChoice(dtype_, QStringLiteral("bfloat16"), "bfloat16",
            tr("Half the memory, 8 significant bits. Faster on a CPU that multiplies it and on a "
               "GPU from Ampere on; elsewhere about as fast as float32."));
  addChoice(dtype_, QStringLiteral("float16"), "float16", {});
  addChoice(dtype_, QStringLiteral("int8"), "int8", {});
  setDevices({{"cpu", "CPU"}});
  connect(device_, &QComboBox::activated, this, &DevicePicker::deviceChosen);
  connect(dtype_, &QComboBox::activated, this, &DevicePicker::changed);
}

void DevicePicker::setDevices(const std::vector<Device>& devices) {
  const QSignalBlocker blocker(device_);
  const std::string chosen = device();
  device_->clear();
  for (const Device& device : devices) {
    addChoice(device_, deviceLabel(device), device.id, QString::fromStdString(device.name));
  }
  select(device_, chosen.empty() ? "cpu" : chosen);
  offerPrecisions();
  tellDevice();
}

void DevicePicker::show(const std::string& device, const std::string& dtype, bool automatic) {
  const QSignalBlocker device_blocker(device_);
  const QSignalBlocker dtype_blocker(dtype_);
  select(device_, device);
  dtype_->setItemText(dtype_->findData(QStringLiteral("auto")),
                      automatic ? tr("auto (%1)").arg(QString::fromStdString(dtype)) : tr("auto"));
  select(dtype_, automatic ? "auto" : dtype);
  offerPrecisions();
  tellDevice();
}

std::string DevicePicker::device() const { return device_->currentData().toString().toStdString(); }
std::string DevicePicker::dtype() const { return dtype_->currentData().toString().toStdString(); }

void DevicePicker::deviceChosen() {
  offerPrecisions();
  tellDevice();
  if (dtype() == (isCpu(device()) ? "float16" : "int8")) select(dtype_, "auto");
  emit changed();
}

void DevicePicker::offerPrecisions() {
  const bool on_cpu = isCpu(device());
  auto* model = qobject_cast<QStandardItemModel*>(dtype_->model());
  const auto offer = [&](const QString& dtype, bool usable, const QString& says,
                         const QString& why_not) {
    const int row = dtype_->findData(dtype);
    model->item(row)->setEnabled(usable);
    dtype_->setItemData(row, usable ? says : why_not, Qt::ToolTipRole);
  };
  offer(QStringLiteral("float16"), !on_cpu,
        tr("Half the memory, 11 significant bits but a small range."),
        tr("Needs a CUDA device; on the CPU use bfloat16 or float32."));
  offer(QStringLiteral("int8"), on_cpu,
        tr("The blocks' weights in whole numbers of 8 bits, what they multiply in 7: a quarter of "
           "the memory, and the fastest on a CPU without arithmetic for bfloat16. Some images may "
           "get another class."),
        tr("Runs on the CPU; on a GPU use float16 or bfloat16."));
}

void DevicePicker::tellDevice() {
  if (device_->count() == 1) {
    device_->setToolTip(tr("The model runs on the processor (%1). No CUDA device was found.")
                            .arg(device_->currentData(Qt::ToolTipRole).toString()));
  } else {
    device_->setToolTip(tr("The model runs on %1 (%2). Changing it loads the model again.")
                            .arg(device_->currentData(Qt::ToolTipRole).toString(),
                                 device_->currentData().toString()));
  }
}

LoadProgress::LoadProgress(QWidget* parent)
    : QWidget(parent),
      label_(new ElidedLabel(this)),
      bar_(new QProgressBar(this)),
      cancel_(new QToolButton(this)) {
  label_->setElideMode(Qt::ElideMiddle);
  auto* row = tightLayout<QHBoxLayout>(this, 8);
  row->addWidget(label_, 1);
  row->addWidget(bar_);
  row->addWidget(cancel_);
  bar_->setFixedWidth(fontMetrics().averageCharWidth() * 18);
  bar_->setMaximumHeight(fontMetrics().height() + 2);
  bar_->setAccessibleName(tr("Loading of the model"));
  cancel_->setText(tr("Cancel"));
  cancel_->setToolTip(tr("Stop loading; the present model stays."));
  cancel_->setAutoRaise(true);
  connect(cancel_, &QToolButton::clicked, this, &LoadProgress::cancelled);
}

void LoadProgress::start(const QString& name) {
  name_ = name;
  label_->setText(tr("Loading %1").arg(name_));
  bar_->setRange(0, 0);
}

void LoadProgress::report(const QString& stage, qint64 done, qint64 total) {
  label_->setText(tr("Loading %1: %2").arg(name_, stage));
  // Bytes may exceed what a progress bar can count.
  bar_->setRange(0, total > 0 ? 100 : 0);
  if (total > 0)
    bar_->setValue(
        static_cast<int>(100.0 * static_cast<double>(done) / static_cast<double>(total)));
}

namespace {

QString row(const QString& name, const QString& value) {
  return QStringLiteral("<tr><td style='padding-right:10px'>%1</td><td>%2</td></tr>")
      .arg(name, value.toHtmlEscaped());
}

QString shape(const VitConfig& vit) {
  if (vit.mixesByFourier()) {
    return QObject::tr("%1 blocks, width %2, Fourier filters of %3 parts")
        .arg(vit.depth)
        .arg(vit.dim)
        .arg(vit.filter.groups);
  }
  return QObject::tr("%1 blocks, width %2, %3 heads").arg(vit.depth).arg(vit.dim).arg(vit.heads);
}

QString input(const VitConfig& vit) {
  return QObject::tr("%1 × %2 pixels, patches of %3: %4 × %5 = %6 tokens")
      .arg(vit.input_width)
      .arg(vit.input_height)
      .arg(vit.patch_size)
      .arg(vit.gridWidth())
      .arg(vit.gridHeight())
      .arg(vit.patchTokens());
}

QString calibration(const LoadedModel& model) {
  if (model.statistics != nullptr) {
    return QObject::tr("from %1 images").arg(model.statistics->images);
  }
  if (!model.statistics_problem.empty()) return QString::fromStdString(model.statistics_problem);
  return QObject::tr(
      "none: AdaMerge merges r_max / 2 tokens per block until the model is calibrated");
}

}  // namespace

QString parameterCount(std::int64_t parameters) {
  const auto count = static_cast<double>(parameters);
  if (count >= 1e9) return QObject::tr("%1 G").arg(count / 1e9, 0, 'f', 2);
  if (count >= 1e6) return QObject::tr("%1 M").arg(count / 1e6, 0, 'f', count < 1e7 ? 2 : 1);
  return QObject::tr("%1 k").arg(count / 1e3, 0, 'f', 1);
}

QString modelSummary(const LoadedModel& model) {
  const ModelInfo& info = model.info;
  QString text = QStringLiteral("<p><b>%1</b></p><table>")
                     .arg(QString::fromStdString(info.name).toHtmlEscaped());
  if (!info.architecture.empty()) {
    text += row(QObject::tr("Architecture"), QString::fromStdString(info.architecture));
  }
  text += row(QObject::tr("Shape"), shape(info.vit));
  text += row(QObject::tr("Parameters"), parameterCount(info.parameters));
  text += row(QObject::tr("Input"), input(info.vit));
  text += row(QObject::tr("Classes"), info.vit.classes > 0 ? QString::number(info.vit.classes)
                                                           : QObject::tr("no classifier"));
  text += row(QObject::tr("Runs on"),
              QStringLiteral("%1, %2").arg(QString::fromStdString(model.device),
                                           QString::fromStdString(model.dtype)));
  text += row(QObject::tr("Unmerged"),
              QObject::tr("%1 GFLOPs (paper), %2 in total")
                  .arg(flopsNumber(model.unmerged.paper), flopsNumber(model.unmerged.total)));
  text += row(QObject::tr("Calibration"), calibration(model));
  if (!info.head.empty()) {
    text += row(QObject::tr("Head"), QString::fromStdString(info.head.string()));
  }
  if (!info.dense_head.empty()) {
    text += row(QObject::tr("Dense head"), QString::fromStdString(info.dense_head.string()));
  }
  text += row(QObject::tr("File"), QString::fromStdString(info.source.string()));
  text += QStringLiteral("</table>");
  for (const std::string& note : info.notes) {
    text += richText(QString::fromStdString(note));
  }
  return text;
}

StatusStrip::StatusStrip(Workbench& workbench, QWidget* parent)
    : QWidget(parent),
      workbench_(workbench),
      pages_(new QStackedWidget(this)),
      model_(new ElidedLabel(this)),
      progress_(new LoadProgress(this)),
      busy_(new BusyIndicator(this)),
      devices_(new DevicePicker(this)),
      view_(new ElidedLabel(this)),
      hint_(new ElidedLabel(this)) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(6, 0, 6, 0);
  row->setSpacing(10);
  // Name and progress share a place, so that nothing else moves while a model loads.
  pages_->addWidget(model_);
  pages_->addWidget(progress_);
  row->addWidget(pages_, 1);
  row->addWidget(view_, 2);
  row->addWidget(hint_, 2);
  row->addWidget(busy_);
  row->addWidget(devices_);
  hint_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  model_->setElideMode(Qt::ElideMiddle);
  model_->setObjectName(QStringLiteral("model"));
  view_->setElideMode(Qt::ElideMiddle);
  view_->setObjectName(QStringLiteral("view"));
  view_->setExplanation(
      tr("The picture, its size in pixels, and how many pixels of the screen one of it takes."));

  connect(devices_, &DevicePicker::changed, this, &StatusStrip::reload);
  connect(&workbench_, &Workbench::modelChanged, this, &StatusStrip::showModel);
  connectLoader();
  watchPanes();
  showModel();
  // Starting CUDA takes a while.
  jobs_.run("devices", Urgency::kBackground,
            [this](const std::stop_token& /*stop*/, const Jobs::Tell& tell) {
              tell([this, devices = availableDevices()] { devices_->setDevices(devices); });
            });
}

EngineOptions StatusStrip::options() const {
  EngineOptions options = workbench_.models().options();
  options.device = devices_->device();
  options.dtype = devices_->dtype();
  return options;
}

void StatusStrip::setHint(const QString& text) { hint_->setText(text); }

void StatusStrip::setView(const QString& text) { view_->setText(text); }

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

void StatusStrip::tellBusy() { busy_->setBusy(workbench_.busy()); }

QString viewText(const Workbench& workbench, double zoom) {
  const PicturePtr picture = workbench.picture();
  if (picture == nullptr) return {};
  const QSize size = picture->pixels.size();
  return QStringLiteral("%1, %2 × %3, %4 %")
      .arg(picture->name)
      .arg(size.width())
      .arg(size.height())
      .arg(100 * zoom, 0, 'f', zoom < 0.1 ? 1 : 0);
}

}  // namespace adamerge::ui
