// SPDX-License-Identifier: GPL-3.0-or-later
// The method form on the screen, with ways to its controls by the setting's key.
#pragma once

#include <QtTest>
#include <QtWidgets>

#include "bench/workbench.h"
#include "settings/method_form.h"
#include "settings/setting_editor.h"

namespace adamerge::ui::test {

struct ShownMethodForm {
  Workbench workbench;
  MethodForm form{workbench};
  ShownMethodForm() {
    form.resize(280, 600);
    form.show();
    form.activateWindow();
    [[maybe_unused]] const bool active = QTest::qWaitForWindowActive(&form);
  }

  void take(const std::string& method, const Settings& settings = {}) {
    workbench.edit(0, {method, settings, nullptr, false}, QStringLiteral("test"));
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    QCoreApplication::processEvents();
  }
  template <typename Control>
  Control* control(const char* key) const {
    return form.findChild<Control*>(QStringLiteral("setting-") + QString::fromLatin1(key));
  }
  SettingRow* row(const char* key) const {
    for (auto* row : form.findChildren<SettingRow*>()) {
      if (row->info().key == key) return row;
    }
    return nullptr;
  }
  QToolButton* reset(const char* key) const { return row(key)->findChild<QToolButton*>(); }
  QPushButton* resetAll() const {
    for (auto* button : form.findChildren<QPushButton*>()) {
      if (button->text() == QStringLiteral("Reset all")) return button;
    }
    return nullptr;
  }
  SettingValue value(const char* key) {
    return workbench.pane(0).choice().settings.find(key)->second;
  }
};

}  // namespace adamerge::ui::test
