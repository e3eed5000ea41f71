// SPDX-License-Identifier: GPL-3.0-or-later
// One canvas's method and settings, and the newest result for them.
#pragma once

#include <QObject>

#include "state/inspection.h"

namespace adamerge::ui {

class Pane : public QObject {
  Q_OBJECT
 public:
  explicit Pane(int index, QObject* parent = nullptr);

  int index() const { return index_; }
  /// Settings complete.
  const MethodChoice& choice() const { return choice_; }
  /// nullptr until the first result. May still be of an older choice while busy().
  InspectionPtr inspection() const { return inspection_; }
  /// A result for the present choice is awaited.
  bool busy() const { return busy_; }

  /// What drives the slider; nullptr for methods without (none).
  const SettingInfo* compressionSetting() const;
  /// 0 where there is no such setting.
  int compression() const;
  /// Largest useful value of the slider for a model: the knob's share of its patch tokens.
  int compressionLimit(const VitConfig& vit) const;

  /// For the workbench; widgets go through Workbench::edit, so that it can be undone.
  /// Throws Error for settings the method does not take.
  void setChoice(const MethodChoice& choice);
  void setInspection(InspectionPtr inspection);
  void setBusy(bool busy);

 signals:
  void choiceChanged();
  void inspectionChanged();
  void busyChanged(bool busy);

 private:
  int index_;
  MethodChoice choice_;
  InspectionPtr inspection_;
  bool busy_ = false;
};

}  // namespace adamerge::ui
