// SPDX-License-Identifier: GPL-3.0-or-later
// All keys on one sheet, made from the menus themselves.
#pragma once

#include <QDialog>
#include <QString>
#include <QStringList>
#include <QWidget>
#include <vector>

class QMenuBar;

namespace adamerge::ui {

// A shortcut drawn as keys.

class KeyCaps : public QWidget {
  Q_OBJECT
 public:
  /// `shortcuts`: alternatives, as "Ctrl+Shift+Z".
  explicit KeyCaps(const std::vector<QString>& shortcuts, QWidget* parent = nullptr);

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return sizeHint(); }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  struct Piece {
    QString text;
    bool is_key = true;
  };

  int pieceWidth(const Piece& piece) const;

  std::vector<Piece> pieces_;
};

// All keys on one sheet, made from the menus themselves, so that it is never out of date.

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

// Keys and gestures that belong to no action, for the shortcut sheet.

std::vector<ShortcutGroup> canvasKeys();

}  // namespace adamerge::ui
