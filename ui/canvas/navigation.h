// SPDX-License-Identifier: GPL-3.0-or-later
// Where canvases look, and how wheel, pinch and drags move them.
#pragma once

#include <QMarginsF>
#include <QObject>
#include <QPointF>
#include <QRectF>
#include <QSizeF>
#include <functional>
#include <optional>

class QGestureEvent;
class QKeyEvent;
class QMouseEvent;
class QNativeGestureEvent;
class QWheelEvent;
class QWidget;

namespace adamerge::ui {

// Where canvases look: one zoom and one place of the picture, shared by all that are linked.

/// What a canvas shows through a view port.
struct ViewFrame {
  QSizeF picture;         ///< pixels of the picture
  QSizeF canvas;          ///< logical pixels of the widget
  double ratio = 1;       ///< device pixels per logical pixel
  QMarginsF beside = {};  ///< kept free around a fitted picture, for what explains it
};

/// From the picture's pixels to the widget's logical pixels.
struct ViewMapping {
  double scale = 1;  ///< logical pixels per picture pixel
  QPointF origin;    ///< of the picture's top left corner, in the widget

  QPointF toWidget(const QPointF& point) const { return point * scale + origin; }
  QPointF toPicture(const QPointF& point) const { return (point - origin) / scale; }
  bool operator==(const ViewMapping&) const = default;
};

class ViewPort : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;

  /// The whole picture is shown, whatever the canvas's size.
  bool fits() const { return !scale_; }
  ViewMapping mapping(const ViewFrame& frame) const;

  /// Keeps what lies under `about` (in the widget) where it is. Zooming out ends at the whole
  /// picture, or at 1:1 where that is smaller.
  void zoom(const ViewFrame& frame, const QPointF& about, double factor);
  /// One picture pixel per device pixel.
  void showActualSize(const ViewFrame& frame, const QPointF& about);
  /// `part` of the picture as large as it fits.
  void showPart(const ViewFrame& frame, const QRectF& part);
  /// Moves the picture by `delta` logical pixels.
  void pan(const ViewFrame& frame, const QPointF& delta);

 public slots:
  void fit();

 signals:
  void changed();

 private:
  double fittingScale(const ViewFrame& frame, const QSizeF& size) const;
  double fittingScale(const ViewFrame& frame) const { return fittingScale(frame, frame.picture); }
  double deviceScale(const ViewFrame& frame) const;
  void setScale(const ViewFrame& frame, const QPointF& about, double scale);
  void setCentre(const QPointF& centre);

  std::optional<double> scale_;  ///< device pixels per picture pixel
  QPointF centre_{0.5, 0.5};     ///< share of the picture's size that lies at the canvas's middle
};

// Turns wheel, pinch and drags on a canvas into zoom and pan, and tells clicks from drags.

class CanvasNavigator : public QObject {
  Q_OBJECT
 public:
  /// `frame`: what the canvas shows at the time of asking.
  CanvasNavigator(QWidget& canvas, ViewPort& port, std::function<ViewFrame()> frame);

  bool panning() const { return panning_; }
  /// The left button draws, unless the space bar is held: it is the canvas's own.
  void setDrawing(bool drawing);

 signals:
  /// The left button, without a drag.
  void clicked(const QPointF& position);
  /// The space bar, without a drag.
  void spaceTapped();

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
  bool drawing_ = false;
  bool space_ = false;
  bool space_used_ = false;  ///< dragged with, since it is down
};

}  // namespace adamerge::ui
