// SPDX-License-Identifier: GPL-3.0-or-later
// One picture with the overlay of one pane's run over it: what the studio is looked at through.
#pragma once

#include <QPointer>
#include <QTimer>
#include <QWidget>

#include "canvas/canvas_layers.h"
#include "canvas/keyboard_focus.h"
#include "canvas/view_port.h"
#include "controls/busy_indicator.h"
#include "state/pane.h"
#include "state/view_state.h"

namespace adamerge::ui {

class CanvasView : public QWidget {
  Q_OBJECT
 public:
  /// Canvases that share a view port zoom and pan together. All three must outlive the canvas.
  CanvasView(Pane& pane, ViewState& view, ViewPort& port, QWidget* parent = nullptr);

  /// Shown alone until the pane's result for it arrives; the picture before stays for a moment, so
  /// that quick results and the frames of a video do not flicker. nullptr: none.
  void setPicture(const PicturePtr& picture);
  /// The pane whose groups the difference overlay compares with; nullptr: none.
  void setReference(Pane* reference);
  /// Method, settings, tokens and FLOPs at the top left.
  void setCaptionVisible(bool visible);
  /// One of several canvases: framed.
  void setActive(bool active);

  Pane& pane() { return pane_; }
  ViewMapping mapping() const;

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 public slots:
  void zoomIn();
  void zoomOut();
  void fit();
  void showActualSize();

 signals:
  /// Pressed, or reached with the keyboard.
  void activated();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;

 private:
  ViewFrame frame() const;
  CanvasScene scene() const;
  void present(const PicturePtr& picture, const InspectionPtr& inspection);
  void adoptInspection();
  void selectAt(const QPointF& position);
  bool moveView(const QKeyEvent& event);
  void moveSelection(int rows, int columns);
  void paintDecor(QPainter& painter, const CanvasScene& scene);
  void describeSelection();

  Pane& pane_;
  ViewState& view_;
  ViewPort& port_;
  QPointer<Pane> reference_;
  PicturePtr picture_;  ///< the one wanted; shown_ follows
  PicturePtr shown_;
  InspectionPtr inspection_;  ///< of shown_
  std::shared_ptr<PicturePyramid> pyramid_;
  CanvasLayers layers_;
  BusyIndicator busy_;
  KeyboardFocus focus_;
  QTimer grace_;
  bool caption_visible_ = true;
  bool active_ = false;
};

}  // namespace adamerge::ui
