// SPDX-License-Identifier: GPL-3.0-or-later
// The active canvas's method and all its settings but the one on the compression slider, made from
// the registry.
#pragma once

#include <QWidget>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adamerge/methods.h"

class QComboBox;
class QLabel;
class QPushButton;
class QVBoxLayout;

namespace adamerge::ui {

class MessageLine;
class Pane;
class ScheduleEditor;
class SettingRow;
class Workbench;

class MethodForm : public QWidget {
  Q_OBJECT
 public:
  explicit MethodForm(Workbench& workbench, QWidget* parent = nullptr);

 signals:
  void calibrateRequested();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void bind();
  void rebuild();
  void refresh();
  void refreshCalibration();
  void refreshSchedule();
  QString calibrationText() const;
  void fillMethods();
  void chooseMethod(const std::string& id);
  void edit(const SettingInfo& setting, const SettingValue& value);
  void resetAll();

  Workbench& workbench_;
  Pane* pane_ = nullptr;
  std::string built_for_;    ///< the method whose rows are shown
  Settings built_defaults_;  ///< of the network that they were built for
  std::vector<SettingRow*> rows_;
  /// What a canvas last had under a method, for when the user comes back to it.
  std::map<std::pair<int, std::string>, MethodChoice> remembered_;
  QComboBox* method_;
  QLabel* description_;
  MessageLine* uncalibrated_;
  QLabel* calibration_;  ///< which is in force
  QVBoxLayout* settings_;
  ScheduleEditor* schedule_;  ///< hidden where the method takes no count for each block
  QPushButton* reset_all_;
};

/// Why `setting` has no effect under `choice` (complete), in a sentence; empty where it has one.
QString inactiveReason(const SettingInfo& setting, const MethodChoice& choice);

}  // namespace adamerge::ui
