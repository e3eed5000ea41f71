// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/compare_grid.h"

namespace adamerge::ui {
namespace {

constexpr int kMostCanvases = 4;
constexpr int kGap = 4;

}  // namespace

CompareGrid::CompareGrid(Workbench& workbench, QWidget* parent)
    : QWidget(parent), workbench_(workbench) {
  for (int index = 0; index < kMostCanvases; ++index) {
    auto* canvas = new CanvasView(workbench.pane(index), workbench.view(), port_, this);
    connect(canvas, &CanvasView::activated, this,
            [this, index] { workbench_.setActivePane(index); });
    canvases_.push_back(canvas);
  }
  setFocusProxy(canvases_.front());
  connect(&workbench_, &Workbench::pictureChanged, this, &CompareGrid::showPanes);
  connect(&workbench_, &Workbench::paneCountChanged, this, &CompareGrid::showPanes);
  connect(&workbench_, &Workbench::activePaneChanged, this, &CompareGrid::markActive);
  showPanes();
}

Pane* CompareGrid::referenceOf(int index) {
  if (visible_ < 2) return nullptr;
  return &workbench_.pane(index == 0 ? 1 : 0);
}

void CompareGrid::showPanes() {
  visible_ = std::min(workbench_.paneCount(), kMostCanvases);
  for (int index = 0; index < kMostCanvases; ++index) {
    const bool shown = index < visible_;
    canvas(index).setReference(shown ? referenceOf(index) : nullptr);
    canvas(index).setPicture(shown ? workbench_.picture() : nullptr);
    canvas(index).setVisible(shown);
  }
  markActive();
  arrange();
}

void CompareGrid::markActive() {
  for (int index = 0; index < kMostCanvases; ++index) {
    canvas(index).setActive(visible_ > 1 && index == workbench_.activeIndex());
  }
}

void CompareGrid::arrange() {
  const bool beside = visible_ == 4 || width() >= height();
  const int columns = visible_ == 1 ? 1 : (beside ? 2 : 1);
  const int rows = visible_ / columns;
  // Whole and equal sizes, so that linked canvases show the same to the pixel.
  const QSize cell((width() - (columns - 1) * kGap) / columns,
                   (height() - (rows - 1) * kGap) / rows);
  for (int index = 0; index < visible_; ++index) {
    const QPoint place(index % columns * (cell.width() + kGap),
                       index / columns * (cell.height() + kGap));
    canvas(index).setGeometry(QRect(place, cell));
  }
}

void CompareGrid::setCaptionsVisible(bool visible) {
  for (CanvasView* canvas : canvases_) canvas->setCaptionVisible(visible);
}

QSize CompareGrid::sizeHint() const { return {760, 560}; }

QSize CompareGrid::minimumSizeHint() const {
  const QSize one = canvases_.front()->minimumSizeHint();
  return visible_ == 1 ? one : 2 * one + QSize(kGap, kGap);
}

void CompareGrid::resizeEvent(QResizeEvent* /*event*/) { arrange(); }

}  // namespace adamerge::ui
