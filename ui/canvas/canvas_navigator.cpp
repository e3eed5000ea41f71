// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/canvas_navigator.h"

#include <QApplication>
#include <QGestureEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QNativeGestureEvent>
#include <QPinchGesture>
#include <QStyleHints>
#include <QWheelEvent>
#include <QWidget>
#include <cmath>

namespace adamerge::ui {
namespace {

/// One notch of a wheel (120 eighths of a degree) zooms by about a fifth.
constexpr double kZoomPerAngle = 1.0015;

}  // namespace

CanvasNavigator::CanvasNavigator(QWidget& canvas, ViewPort& port, std::function<ViewFrame()> frame)
    : QObject(&canvas), canvas_(canvas), port_(port), frame_(std::move(frame)) {
  canvas_.grabGesture(Qt::PinchGesture);
  canvas_.installEventFilter(this);
}

bool CanvasNavigator::eventFilter(QObject* watched, QEvent* event) {
  if (watched != &canvas_) return false;
  switch (event->type()) {
    case QEvent::MouseButtonPress:
    case QEvent::MouseButtonDblClick:
      return hasPicture() && press(static_cast<const QMouseEvent&>(*event));
    case QEvent::MouseMove:
      return hasPicture() && move(static_cast<const QMouseEvent&>(*event));
    case QEvent::MouseButtonRelease:
      return hasPicture() && release(static_cast<const QMouseEvent&>(*event));
    case QEvent::Wheel:
      return hasPicture() && wheel(static_cast<const QWheelEvent&>(*event));
    case QEvent::NativeGesture:
      return hasPicture() && native(static_cast<const QNativeGestureEvent&>(*event));
    case QEvent::Gesture:
      return hasPicture() && gesture(static_cast<QGestureEvent&>(*event));
    case QEvent::KeyPress:
      return hasPicture() && space(static_cast<const QKeyEvent&>(*event), true);
    case QEvent::KeyRelease:
      return hasPicture() && space(static_cast<const QKeyEvent&>(*event), false);
    case QEvent::FocusOut:
      space_ = false;
      showCursor();
      return false;
    default:
      return false;
  }
}

bool CanvasNavigator::hasPicture() const { return !frame_().picture.isEmpty(); }

bool CanvasNavigator::press(const QMouseEvent& event) {
  if (button_ != Qt::NoButton) return true;
  if (event.button() != Qt::LeftButton && event.button() != Qt::MiddleButton) return false;
  button_ = event.button();
  pressed_at_ = last_ = event.position();
  if (button_ == Qt::MiddleButton || space_) setPanning(true);
  return false;  // the canvas still takes the focus
}

bool CanvasNavigator::move(const QMouseEvent& event) {
  if (button_ == Qt::NoButton) return false;
  if (!panning_) {
    const QPointF moved = event.position() - pressed_at_;
    if (moved.manhattanLength() < QGuiApplication::styleHints()->startDragDistance()) return true;
    setPanning(true);
  }
  port_.pan(frame_(), event.position() - last_);
  last_ = event.position();
  return true;
}

bool CanvasNavigator::release(const QMouseEvent& event) {
  if (event.button() != button_) return false;
  const bool click = button_ == Qt::LeftButton && !panning_;
  button_ = Qt::NoButton;
  setPanning(false);
  if (click) emit clicked(event.position());
  return true;
}

bool CanvasNavigator::wheel(const QWheelEvent& event) {
  const int angle = event.angleDelta().y();
  if (angle != 0) port_.zoom(frame_(), event.position(), std::pow(kZoomPerAngle, angle));
  return true;
}

bool CanvasNavigator::native(const QNativeGestureEvent& event) {
  if (event.gestureType() != Qt::ZoomNativeGesture) return false;
  port_.zoom(frame_(), event.position(), 1 + event.value());
  return true;
}

bool CanvasNavigator::gesture(QGestureEvent& event) {
  const auto* pinch = static_cast<QPinchGesture*>(event.gesture(Qt::PinchGesture));
  if (pinch == nullptr) return false;
  // Two fingers come with mouse events made from one of them.
  button_ = Qt::NoButton;
  setPanning(false);
  const QPointF centre = canvas_.mapFromGlobal(pinch->centerPoint());
  if (pinch->changeFlags() & QPinchGesture::ScaleFactorChanged) {
    port_.zoom(frame_(), centre, pinch->scaleFactor());
  }
  if (pinch->changeFlags() & QPinchGesture::CenterPointChanged) {
    port_.pan(frame_(), pinch->centerPoint() - pinch->lastCenterPoint());
  }
  event.accept(Qt::PinchGesture);
  return true;
}

bool CanvasNavigator::space(const QKeyEvent& event, bool down) {
  if (event.key() != Qt::Key_Space) return false;
  if (!event.isAutoRepeat()) {
    space_ = down;
    showCursor();
  }
  return true;
}

void CanvasNavigator::setPanning(bool panning) {
  panning_ = panning;
  showCursor();
}

void CanvasNavigator::showCursor() {
  if (panning_) {
    canvas_.setCursor(Qt::ClosedHandCursor);
  } else if (space_) {
    canvas_.setCursor(Qt::OpenHandCursor);
  } else {
    canvas_.unsetCursor();
  }
}

}  // namespace adamerge::ui
