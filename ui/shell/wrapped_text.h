// SPDX-License-Identifier: GPL-3.0-or-later
// Selectable plain text that wraps anywhere if need be: a path without spaces still fits a narrow
// window, which a QLabel would cut off.
#pragma once

#include <QTextEdit>

namespace adamerge::ui {

class WrappedText : public QTextEdit {
  Q_OBJECT
 public:
  explicit WrappedText(QWidget* parent = nullptr);

  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override;
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void wheelEvent(QWheelEvent* event) override;
};

}  // namespace adamerge::ui
