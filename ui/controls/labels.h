// SPDX-License-Identifier: GPL-3.0-or-later
// Labels that keep their place: numbers with digits of equal width, and text that is shortened
// rather than clipped.
#pragma once

#include <QLabel>

namespace adamerge::ui {

/// One line of text whose digits all have the same width in any font, so that a number that
/// changes while a slider is dragged does not tremble.
class NumberLabel : public QLabel {
  Q_OBJECT
 public:
  explicit NumberLabel(QWidget* parent = nullptr);

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  int cellWidth(QChar character) const;
  int textWidth() const;
};

/// One line that ends in "…" where it does not fit; then the tooltip has all of it. A tooltip that
/// was set is shown instead.
class ElidedLabel : public QLabel {
  Q_OBJECT
 public:
  explicit ElidedLabel(QWidget* parent = nullptr);

  /// Shown below the full text in the tooltip.
  void setExplanation(const QString& explanation);
  /// Qt::ElideRight unless set.
  void setElideMode(Qt::TextElideMode mode);
  /// What is drawn at the present width.
  QString shownText() const;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;

 private:
  QString explanation_;
  Qt::TextElideMode mode_ = Qt::ElideRight;
};

}  // namespace adamerge::ui
