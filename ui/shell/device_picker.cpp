// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/device_picker.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QSignalBlocker>
#include <QStandardItemModel>

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
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(6);
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
            tr("The fastest that the device has arithmetic for: bfloat16 on a CPU with AMX and on "
               "a GPU from Ampere on, float16 on Volta and Turing, else float32."));
  addChoice(dtype_, QStringLiteral("float32"), "float32",
            tr("Full single precision, 24 significant bits: for results that are to be the same "
               "on every machine."));
  addChoice(dtype_, QStringLiteral("bfloat16"), "bfloat16",
            tr("Half the memory, 8 significant bits. Faster on a CPU with AMX and on a GPU from "
               "Ampere on; elsewhere slower than float32."));
  addChoice(dtype_, QStringLiteral("float16"), "float16", {});
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
  if (isCpu(device()) && dtype() == "float16") select(dtype_, "auto");
  emit changed();
}

void DevicePicker::offerPrecisions() {
  const int row = dtype_->findData(QStringLiteral("float16"));
  const bool usable = !isCpu(device());
  auto* model = qobject_cast<QStandardItemModel*>(dtype_->model());
  model->item(row)->setEnabled(usable);
  dtype_->setItemData(row,
                      usable ? tr("Half the memory, 11 significant bits but a small range.")
                             : tr("Needs a CUDA device; on the CPU use bfloat16 or float32."),
                      Qt::ToolTipRole);
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

}  // namespace adamerge::ui
