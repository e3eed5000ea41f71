// SPDX-License-Identifier: GPL-3.0-or-later
// One control for one setting of a method, chosen by the setting's type.
#pragma once

#include <QWidget>

#include "adamerge/methods.h"

class QLabel;
class QToolButton;

namespace adamerge::ui {

class SettingEditor : public QWidget {
  Q_OBJECT
 public:
  using QWidget::QWidget;

  /// Without edited().
  virtual void setValue(const SettingValue& value) = 0;
  /// What takes the keyboard, and what tests drive: a check box, a spin box, a combo, a line edit.
  virtual QWidget* control() = 0;
  /// Carries the setting's name itself, so that it needs no label.
  virtual bool labelled() const { return false; }

 signals:
  /// Valid.
  void edited(const adamerge::SettingValue& value);
  /// What is typed is no value of the setting; empty: it is one again.
  void complained(const QString& message);
  /// The user is done with it: what follows is another edit.
  void finished();
};

SettingEditor* makeSettingEditor(const SettingInfo& info, QWidget* parent);

/// "Whole numbers from 0 to 64": what the setting takes, for people.
QString describeRange(const SettingInfo& info);
/// As people read it: the locale's decimal point; "(empty)" for an empty list.
QString describeValue(const SettingValue& value);

// One line of the form: name, control, reset button, and below them what is wrong with the input.

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
