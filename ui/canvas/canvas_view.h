// SPDX-License-Identifier: GPL-3.0-or-later
// One picture with the overlay of one pane's run over it: what the studio is looked at through.
#pragma once

#include <QPointer>
#include <QTimer>
#include <QWidget>

#include "bench/pane.h"
#include "canvas/layers.h"
#include "canvas/navigation.h"
#include "canvas/prompt_tool.h"
#include "look/widgets.h"

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
  void setCaptionVisible(bool visible) { change(caption_visible_, visible); }
  /// Stands behind the caption; empty: nothing.
  void setNote(const QString& note) { change(note_, note); }
  /// Class and probability, merged and unmerged, in the caption.
  void setClassShown(bool shown) { change(class_shown_, shown); }
  /// What is said where there is no picture.
  void setEmptyText(const QString& title, const QString& hint);
  const QString& note() const { return note_; }
  /// One of several canvases: framed.
  void setActive(bool active) { change(active_, active); }

  Pane& pane() { return pane_; }
  ViewMapping mapping() const;

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 public slots:
  void zoomIn();
  void zoomOut();
  void fit();
  void showActualSize();
  /// What the model sees, as large as it fits.
  void fitCrop();

 signals:
  /// Pressed, or reached with the keyboard.
  void activated();
  void menuRequested(const QPoint& global);
  void spaceTapped();
  /// Drawn or taken away by the user.
  void promptsEdited(const adamerge::Prompts& prompts, const QString& what);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;

 private:
  template <typename Value>
  void change(Value& own, const Value& value) {
    if (own == value) return;
    own = value;
    update();
  }
  ViewFrame frame() const;
  QMarginsF beside() const;
  int captionColumn() const;
  CanvasScene scene() const;
  void present(const PicturePtr& picture, const InspectionPtr& inspection);
  void adoptInspection();
  void selectAt(const QPointF& position);
  bool moveView(const QKeyEvent& event);
  void moveSelection(int rows, int columns);
  void paintDecor(QPainter& painter, const CanvasScene& scene);
  void describeSelection();
  /// Whether the mouse draws prompts.
  void showPrompting();

  Pane& pane_;
  ViewState& view_;
  ViewPort& port_;
  QPointer<Pane> reference_;
  PicturePtr picture_;  ///< the one wanted; shown_ follows
  PicturePtr shown_;
  InspectionPtr inspection_;  ///< of shown_
  std::shared_ptr<PicturePyramid> pyramid_;
  CanvasLayers layers_;
  CanvasNavigator* navigator_ = nullptr;
  PromptTool prompt_tool_;
  BusyIndicator busy_;
  KeyboardFocus focus_;
  QTimer grace_;
  QString note_;
  QString empty_title_;
  QString empty_hint_;
  bool class_shown_ = false;
  bool caption_visible_ = true;
  bool active_ = false;
  bool prompting_ = false;
  Prompts prompts_;  ///< of the pane's choice
};

}  // namespace adamerge::ui
