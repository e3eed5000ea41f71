// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/keyboard_focus.h"

#include <QFocusEvent>
#include <QWidget>

namespace adamerge::ui {

KeyboardFocus::KeyboardFocus(QWidget& widget) : QObject(&widget) {
  widget.installEventFilter(this);
}

bool KeyboardFocus::eventFilter(QObject* /*watched*/, QEvent* event) {
  switch (event->type()) {
    case QEvent::FocusIn: {
      const Qt::FocusReason reason = static_cast<const QFocusEvent*>(event)->reason();
      setShown(reason == Qt::TabFocusReason || reason == Qt::BacktabFocusReason ||
               reason == Qt::ShortcutFocusReason);
      break;
    }
    case QEvent::KeyPress:
      setShown(true);
      break;
    case QEvent::FocusOut:
    case QEvent::MouseButtonPress:
      setShown(false);
      break;
    default:
      break;
  }
  return false;
}

void KeyboardFocus::setShown(bool shown) {
  if (shown == shown_) return;
  shown_ = shown;
  emit changed();
}

}  // namespace adamerge::ui
