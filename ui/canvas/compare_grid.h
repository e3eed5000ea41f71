// SPDX-License-Identifier: GPL-3.0-or-later
// One, two or four canvases of equal size that zoom, pan and select together.
#pragma once

#include <QWidget>
#include <vector>

#include "bench/workbench.h"
#include "canvas/canvas_view.h"
#include "canvas/navigation.h"

namespace adamerge::ui {

class CompareGrid : public QWidget {
  Q_OBJECT
 public:
  explicit CompareGrid(Workbench& workbench, QWidget* parent = nullptr);

  CanvasView& canvas(int index) { return *canvases_[static_cast<std::size_t>(index)]; }
  CanvasView& activeCanvas() { return canvas(workbench_.activeIndex()); }
  ViewPort& viewPort() { return port_; }
  /// What the difference overlay of canvas `index` compares with: the first canvas, and for the
  /// first the second; nullptr for a canvas alone.
  Pane* referenceOf(int index);

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

  /// Device pixels per pixel of the picture on the active canvas; 0: nothing is shown.
  double zoom();

 public slots:

 signals:
  void menuRequested(const QPoint& global);
  void spaceTapped();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void showPanes();
  void markActive();
  void showNotes();
  void showEmptyText();
  void arrange();

  Workbench& workbench_;
  ViewPort port_;
  std::vector<CanvasView*> canvases_;
  int visible_ = 0;
};

}  // namespace adamerge::ui
