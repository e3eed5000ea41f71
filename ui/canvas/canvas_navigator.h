// SPDX-License-Identifier: GPL-3.0-or-later
// Turns wheel, pinch and drags on a canvas into zoom and pan, and tells clicks from drags.
#pragma once

#include <QObject>
#include <QPointF>
#include <functional>

#include "canvas/view_port.h"

class QGestureEvent;
class QKeyEvent;
class QMouseEvent;
class QNativeGestureEvent;
class QWheelEvent;
class QWidget;

namespace adamerge::ui {

class CanvasNavigator : public QObject {
  Q_OBJECT
 public:
  /// `frame`: what the canvas shows at the time of asking.
  CanvasNavigator(QWidget& canvas, ViewPort& port, std::function<ViewFrame()> frame);

  bool panning() const { return panning_; }

 signals:
  /// The left button, without a drag.
  void clicked(const QPointF& position);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  bool hasPicture() const;
  bool press(const QMouseEvent& event);
  bool move(const QMouseEvent& event);
  bool release(const QMouseEvent& event);
  bool wheel(const QWheelEvent& event);
  bool native(const QNativeGestureEvent& event);
  bool gesture(QGestureEvent& event);
  bool space(const QKeyEvent& event, bool down);
  void setPanning(bool panning);
  void showCursor();

  QWidget& canvas_;
  ViewPort& port_;
  std::function<ViewFrame()> frame_;
  Qt::MouseButton button_ = Qt::NoButton;  ///< held since a press on the canvas
  QPointF pressed_at_;
  QPointF last_;
  bool panning_ = false;
  bool space_ = false;
};

}  // namespace adamerge::ui
