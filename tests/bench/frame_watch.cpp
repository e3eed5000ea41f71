// SPDX-License-Identifier: GPL-3.0-or-later
#include "frame_watch.h"

#include <QEvent>
#include <utility>

#include "canvas/canvas_view.h"

namespace adamerge::ui {

void FrameWatch::expect(std::function<bool(CanvasView&)> shown, std::function<void()> arrived) {
  shown_ = std::move(shown);
  arrived_ = std::move(arrived);
  painted_ = false;
  frame_.reset();
}

bool FrameWatch::notify(QObject* receiver, QEvent* event) {
  const QEvent::Type type = event->type();
  if (type == QEvent::Paint && shown_ && !painted_) {
    auto* canvas = qobject_cast<CanvasView*>(receiver);
    painted_ = canvas != nullptr && shown_(*canvas);
  }
  const bool handled = Application::notify(receiver, event);
  const bool frame_done = type == QEvent::UpdateRequest || type == QEvent::Expose;
  if (frame_done && painted_) {
    frame_ = Clock::now();
    painted_ = false;
    shown_ = nullptr;
    if (const auto arrived = std::exchange(arrived_, nullptr)) arrived();
  }
  return handled;
}

}  // namespace adamerge::ui
