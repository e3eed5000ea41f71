// SPDX-License-Identifier: GPL-3.0-or-later
#include "controls/labels.h"

#include <QHelpEvent>
#include <QPainter>
#include <QStyle>
#include <QToolTip>
#include <algorithm>

namespace adamerge::ui {

NumberLabel::NumberLabel(QWidget* parent) : QLabel(parent) { setTextFormat(Qt::PlainText); }

int NumberLabel::cellWidth(QChar character) const {
  const QFontMetrics metrics = fontMetrics();
  if (!character.isDigit()) return metrics.horizontalAdvance(character);
  int widest = 0;
  for (char digit = '0'; digit <= '9'; ++digit) {
    widest = std::max(widest, metrics.horizontalAdvance(QLatin1Char(digit)));
  }
  return widest;
}

int NumberLabel::textWidth() const {
  int width = 0;
  for (const QChar character : text()) width += cellWidth(character);
  return width;
}

QSize NumberLabel::sizeHint() const { return {textWidth() + 2, fontMetrics().height()}; }

QSize NumberLabel::minimumSizeHint() const { return sizeHint(); }

void NumberLabel::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setPen(
      palette().color(isEnabled() ? QPalette::Active : QPalette::Disabled, foregroundRole()));
  const QRect area = QStyle::alignedRect(layoutDirection(), alignment(),
                                         {textWidth(), fontMetrics().height()}, rect());
  int x = area.left();
  for (const QChar character : text()) {
    const int width = cellWidth(character);
    painter.drawText(QRect(x, area.top(), width, area.height()),
                     Qt::AlignHCenter | Qt::AlignVCenter | Qt::TextDontClip, character);
    x += width;
  }
}

ElidedLabel::ElidedLabel(QWidget* parent) : QLabel(parent) {
  setTextFormat(Qt::PlainText);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
}

void ElidedLabel::setExplanation(const QString& explanation) { explanation_ = explanation; }

void ElidedLabel::setElideMode(Qt::TextElideMode mode) {
  mode_ = mode;
  update();
}

QString ElidedLabel::shownText() const { return fontMetrics().elidedText(text(), mode_, width()); }

QSize ElidedLabel::minimumSizeHint() const {
  return {fontMetrics().horizontalAdvance(QStringLiteral("abc…")), fontMetrics().height()};
}

void ElidedLabel::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setPen(
      palette().color(isEnabled() ? QPalette::Active : QPalette::Disabled, foregroundRole()));
  painter.drawText(rect(), static_cast<int>(alignment()) | Qt::TextSingleLine, shownText());
}

bool ElidedLabel::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip || !toolTip().isEmpty()) return QLabel::event(event);
  QStringList parts;
  if (fontMetrics().horizontalAdvance(text()) > width()) parts << text();
  if (!explanation_.isEmpty()) parts << explanation_;
  const auto* help = static_cast<QHelpEvent*>(event);
  QToolTip::showText(help->globalPos(), parts.join(QLatin1Char('\n')), this);
  return true;
}

}  // namespace adamerge::ui
