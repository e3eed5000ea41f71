// SPDX-License-Identifier: GPL-3.0-or-later
// Covers a widget while something is dragged over it and says what letting go will do.
#pragma once

#include <QWidget>

#include "shell/dropped_content.h"

namespace adamerge::ui {

class DropOverlay : public QWidget {
  Q_OBJECT
 public:
  /// Covers all of `covered`, whatever its size becomes. Lets all events through.
  explicit DropOverlay(QWidget* covered);

  using QWidget::show;
  void show(const DroppedContent& content);
  const QString& text() const { return text_; }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;
  void paintEvent(QPaintEvent* event) override;

 private:
  void paintCard(QPainter& painter, const QRectF& card);

  QString text_;
  bool usable_ = true;
};

}  // namespace adamerge::ui
