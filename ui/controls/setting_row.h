// SPDX-License-Identifier: GPL-3.0-or-later
// One line of the form: name, control, reset button, and below them what is wrong with the input.
#pragma once

#include <QWidget>

#include "adamerge/methods.h"

class QLabel;
class QToolButton;

namespace adamerge::ui {

class SettingEditor;

class SettingRow : public QWidget {
  Q_OBJECT
 public:
  explicit SettingRow(const SettingInfo& info, QWidget* parent = nullptr);

  const SettingInfo& info() const { return info_; }
  SettingEditor& editor() { return *editor_; }
  void setValue(const SettingValue& value);
  /// Empty: the setting has an effect. Otherwise why it has none.
  void setInactive(const QString& reason);
  QString message() const;

 signals:
  void edited(const adamerge::SettingValue& value);
  void finished();

 private:
  void explain(const QString& inactive);

  SettingInfo info_;
  QLabel* name_ = nullptr;
  SettingEditor* editor_;
  QToolButton* reset_;
  QLabel* message_;
};

}  // namespace adamerge::ui
