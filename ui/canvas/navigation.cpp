// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/navigation.h"

#include <QApplication>
#include <QGestureEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QNativeGestureEvent>
#include <QPinchGesture>
#include <QStyleHints>
#include <QWheelEvent>
#include <QWidget>
#include <algorithm>
#include <cmath>

namespace adamerge::ui {
namespace {

constexpr double kFitMargin = 8;  ///< logical pixels around a fitted picture
constexpr double kLargestScale = 64;
constexpr double kLargestOverFit = 16;  ///< tiny pictures may be larger than that already

QPointF toDevicePixel(const QPointF& point, double ratio) {
  return QPointF(std::round(point.x() * ratio), std::round(point.y() * ratio)) / ratio;
}

}  // namespace

/// Where a fitted picture goes.
static QRectF roomIn(const ViewFrame& frame) {
  return QRectF({0, 0}, frame.canvas)
      .marginsRemoved(frame.beside)
      .adjusted(kFitMargin, kFitMargin, -kFitMargin, -kFitMargin);
}

double ViewPort::fittingScale(const ViewFrame& frame, const QSizeF& size) const {
  const QRectF room = roomIn(frame);
  return std::min(std::max(1.0, room.width()) / size.width(),
                  std::max(1.0, room.height()) / size.height()) *
         frame.ratio;
}

double ViewPort::deviceScale(const ViewFrame& frame) const {
  return scale_ ? *scale_ : fittingScale(frame);
}

ViewMapping ViewPort::mapping(const ViewFrame& frame) const {
  if (frame.picture.isEmpty()) return {};
  ViewMapping mapping;
  mapping.scale = deviceScale(frame) / frame.ratio;
  const QPointF middle = fits() ? roomIn(frame).center() : QRectF({0, 0}, frame.canvas).center();
  const QPointF shown(centre_.x() * frame.picture.width(), centre_.y() * frame.picture.height());
  mapping.origin = toDevicePixel(middle - shown * mapping.scale, frame.ratio);
  return mapping;
}

void ViewPort::zoom(const ViewFrame& frame, const QPointF& about, double factor) {
  if (frame.picture.isEmpty() || !(factor > 0)) return;
  const double fitting = fittingScale(frame);
  const double scale = deviceScale(frame) * factor;
  if (scale <= fitting && factor < 1 && fitting <= 1) {
    fit();
    return;
  }
  const double largest = std::max(kLargestScale, fitting * kLargestOverFit);
  setScale(frame, about, std::clamp(scale, std::min(fitting, 1.0), largest));
}

void ViewPort::showActualSize(const ViewFrame& frame, const QPointF& about) {
  if (!frame.picture.isEmpty()) setScale(frame, about, 1);
}

void ViewPort::showPart(const ViewFrame& frame, const QRectF& part) {
  if (frame.picture.isEmpty() || part.isEmpty()) return;
  scale_ = fittingScale(frame, part.size());
  // The part in the middle of the room, which is not the canvas's.
  const QPointF aside = QRectF({0, 0}, frame.canvas).center() - roomIn(frame).center();
  const QPointF centre = part.center() + aside * frame.ratio / *scale_;
  setCentre({centre.x() / frame.picture.width(), centre.y() / frame.picture.height()});
}

void ViewPort::setScale(const ViewFrame& frame, const QPointF& about, double scale) {
  const QPointF held = mapping(frame).toPicture(about);
  const QPointF middle(frame.canvas.width() / 2, frame.canvas.height() / 2);
  const QPointF shown = held + (middle - about) / (scale / frame.ratio);
  scale_ = scale;
  setCentre({shown.x() / frame.picture.width(), shown.y() / frame.picture.height()});
}

void ViewPort::pan(const ViewFrame& frame, const QPointF& delta) {
  if (frame.picture.isEmpty()) return;
  const QPointF middle = QRectF({0, 0}, frame.canvas).center();
  if (!scale_) setScale(frame, middle, fittingScale(frame));
  const QPointF shift = delta * frame.ratio / *scale_;
  setCentre(centre_ -
            QPointF(shift.x() / frame.picture.width(), shift.y() / frame.picture.height()));
}

void ViewPort::fit() {
  scale_.reset();
  setCentre({0.5, 0.5});
}

void ViewPort::setCentre(const QPointF& centre) {
  // Something of the picture stays at the canvas's middle, so that it cannot get lost.
  centre_ = {std::clamp(centre.x(), 0.0, 1.0), std::clamp(centre.y(), 0.0, 1.0)};
  emit changed();
}

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
  if (drawing_ && !space_ && event.button() == Qt::LeftButton) return false;
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
    if (!down && space_ && !space_used_) emit spaceTapped();
    space_ = down;
    space_used_ = false;
    showCursor();
  }
  return true;
}

void CanvasNavigator::setPanning(bool panning) {
  panning_ = panning;
  space_used_ = space_used_ || panning;
  showCursor();
}

void CanvasNavigator::setDrawing(bool drawing) {
  drawing_ = drawing;
  showCursor();
}

void CanvasNavigator::showCursor() {
  if (panning_) {
    canvas_.setCursor(Qt::ClosedHandCursor);
  } else if (space_) {
    canvas_.setCursor(Qt::OpenHandCursor);
  } else if (drawing_) {
    canvas_.setCursor(Qt::CrossCursor);
  } else {
    canvas_.unsetCursor();
  }
}

}  // namespace adamerge::ui
