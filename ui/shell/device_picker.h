// SPDX-License-Identifier: GPL-3.0-or-later
// Where the model runs and how precisely it calculates: two boxes that offer what is there.
#pragma once

#include <QString>
#include <QWidget>
#include <vector>

#include "adamerge/engine.h"

class QComboBox;

namespace adamerge::ui {

class DevicePicker : public QWidget {
  Q_OBJECT
 public:
  explicit DevicePicker(QWidget* parent = nullptr);

  /// CPU first, as availableDevices() gives them.
  void setDevices(const std::vector<Device>& devices);
  /// As Engine names them; shows without emitting changed(). `automatic`: `dtype` is what "auto"
  /// came out as.
  void show(const std::string& device, const std::string& dtype, bool automatic = false);
  using QWidget::show;

  std::string device() const;
  std::string dtype() const;  ///< "auto" is one

 signals:
  /// A person chose.
  void changed();

 private:
  void deviceChosen();
  void offerPrecisions();
  void tellDevice();

  QComboBox* device_;
  QComboBox* dtype_;
};

}  // namespace adamerge::ui
