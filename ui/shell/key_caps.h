// SPDX-License-Identifier: GPL-3.0-or-later
// A shortcut drawn as keys.
#pragma once

#include <QStringList>
#include <QWidget>
#include <vector>

namespace adamerge::ui {

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

}  // namespace adamerge::ui
