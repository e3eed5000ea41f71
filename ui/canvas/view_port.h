// SPDX-License-Identifier: GPL-3.0-or-later
// Where canvases look: one zoom and one place of the picture, shared by all that are linked.
#pragma once

#include <QObject>
#include <QPointF>
#include <QSizeF>
#include <optional>

namespace adamerge::ui {

/// What a canvas shows through a view port.
struct ViewFrame {
  QSizeF picture;    ///< pixels of the picture
  QSizeF canvas;     ///< logical pixels of the widget
  double ratio = 1;  ///< device pixels per logical pixel
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
  /// Moves the picture by `delta` logical pixels.
  void pan(const ViewFrame& frame, const QPointF& delta);

 public slots:
  void fit();

 signals:
  void changed();

 private:
  double fittingScale(const ViewFrame& frame) const;
  double deviceScale(const ViewFrame& frame) const;
  void setScale(const ViewFrame& frame, const QPointF& about, double scale);
  void setCentre(const QPointF& centre);

  std::optional<double> scale_;  ///< device pixels per picture pixel
  QPointF centre_{0.5, 0.5};     ///< share of the picture's size that lies at the canvas's middle
};

}  // namespace adamerge::ui
