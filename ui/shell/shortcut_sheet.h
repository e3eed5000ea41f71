// SPDX-License-Identifier: GPL-3.0-or-later
// All keys on one sheet, made from the menus themselves, so that it is never out of date.
#pragma once

#include <QDialog>
#include <QString>
#include <vector>

class QMenuBar;

namespace adamerge::ui {

struct ShortcutRow {
  QString what;
  std::vector<QString> keys;  ///< alternatives, as "Ctrl+O"
};

struct ShortcutGroup {
  QString title;
  std::vector<ShortcutRow> rows;
};

/// One group for each menu that has shortcuts, submenus included.
std::vector<ShortcutGroup> collectShortcuts(const QMenuBar& menus);

class ShortcutSheet : public QDialog {
  Q_OBJECT
 public:
  /// `more`: keys without an action (those of the canvas).
  ShortcutSheet(const std::vector<ShortcutGroup>& menus, const std::vector<ShortcutGroup>& more,
                QWidget* parent = nullptr);
};

}  // namespace adamerge::ui
