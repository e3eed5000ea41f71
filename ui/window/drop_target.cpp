// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/drop_target.h"

#include <QDragEnterEvent>
#include <QDropEvent>

namespace adamerge::ui {

DropTarget::DropTarget(QWidget* window) : QObject(window), overlay_(new DropOverlay(window)) {
  window->setAcceptDrops(true);
  window->installEventFilter(this);
  overlay_->hide();
}

bool DropTarget::eventFilter(QObject* watched, QEvent* event) {
  switch (event->type()) {
    case QEvent::DragEnter: {
      auto* enter = static_cast<QDragEnterEvent*>(event);
      overlay_->show(readDrop(*enter->mimeData()));
      // Useless content is taken as well: the drop then says why in words.
      enter->acceptProposedAction();
      return true;
    }
    case QEvent::DragMove:
      static_cast<QDragMoveEvent*>(event)->acceptProposedAction();
      return true;
    case QEvent::DragLeave:
      overlay_->hide();
      return true;
    case QEvent::Drop: {
      overlay_->hide();
      auto* drop = static_cast<QDropEvent*>(event);
      drop->acceptProposedAction();
      emit dropped(readDrop(*drop->mimeData()));
      return true;
    }
    default:
      return QObject::eventFilter(watched, event);
  }
}

}  // namespace adamerge::ui
