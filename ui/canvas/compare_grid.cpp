// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/compare_grid.h"

namespace adamerge::ui {
namespace {

constexpr int kCanvasGap = 4;

}  // namespace

CompareGrid::CompareGrid(Workbench& workbench, QWidget* parent)
    : QWidget(parent), workbench_(workbench) {
  for (int index = 0; index < kMostPanes; ++index) {
    auto* canvas = new CanvasView(workbench.pane(index), workbench.view(), port_, this);
    connect(canvas, &CanvasView::activated, this,
            [this, index] { workbench_.setActivePane(index); });
    connect(canvas, &CanvasView::promptsEdited, this,
            [this, index](const Prompts& prompts, const QString& what) {
              workbench_.edit(index, withPrompts(workbench_.pane(index).choice(), prompts), what);
            });
    connect(canvas, &CanvasView::menuRequested, this, &CompareGrid::menuRequested);
    connect(canvas, &CanvasView::spaceTapped, this, &CompareGrid::spaceTapped);
    connect(&workbench.pane(index), &Pane::changed, this, &CompareGrid::showNotes);
    canvases_.push_back(canvas);
  }
  setFocusProxy(canvases_.front());
  connect(&workbench_, &Workbench::pictureChanged, this, &CompareGrid::showPanes);
  connect(&workbench_, &Workbench::paneCountChanged, this, &CompareGrid::showPanes);
  connect(&workbench_, &Workbench::activePaneChanged, this, &CompareGrid::markActive);
  connect(&workbench_, &Workbench::equalFlopsChanged, this, &CompareGrid::showNotes);
  connect(&workbench_, &Workbench::modelChanged, this, &CompareGrid::showEmptyText);
  const ModelLoader& models = workbench_.models();
  connect(&models, &ModelLoader::started, this, &CompareGrid::showEmptyText);
  connect(&models, &ModelLoader::failed, this, &CompareGrid::showEmptyText);
  connect(&models, &ModelLoader::cancelled, this, &CompareGrid::showEmptyText);
  connect(&workbench_.pictures(), &PictureLoader::started, this, &CompareGrid::showEmptyText);
  showPanes();
}

Pane* CompareGrid::referenceOf(int index) {
  if (visible_ < 2) return nullptr;
  return &workbench_.pane(index == 0 ? 1 : 0);
}

void CompareGrid::showPanes() {
  visible_ = std::min(workbench_.paneCount(), kMostPanes);
  for (int index = 0; index < kMostPanes; ++index) {
    const bool shown = index < visible_;
    canvas(index).setReference(shown ? referenceOf(index) : nullptr);
    canvas(index).setPicture(shown ? workbench_.picture() : nullptr);
    canvas(index).setClassShown(visible_ > 1);
    canvas(index).setVisible(shown);
  }
  showEmptyText();
  showNotes();
  markActive();
  arrange();
}

void CompareGrid::showNotes() {
  for (int index = 0; index < visible_; ++index) {
    canvas(index).setNote(unequalFlops(workbench_, index));
  }
}

/// What is the case, and what to do.
void CompareGrid::showEmptyText() {
  QString title = tr("Drop an image here, or press Ctrl+O");
  QString hint = tr("A folder opens as a list of its images; Ctrl+V pastes one.");
  if (const auto& unshown = workbench_.unshown()) {
    title = tr("%1 cannot be shown").arg(unshown->name);
    hint = unshown->why;
  } else if (workbench_.model() == nullptr && !workbench_.models().loading()) {
    title = tr("Open a model first: Ctrl+M");
    hint = tr("A folder with config.json and weights, or a weight file; it can be dropped here.");
  }
  for (CanvasView* canvas : canvases_) canvas->setEmptyText(title, hint);
}

double CompareGrid::zoom() {
  if (workbench_.picture() == nullptr) return 0;
  return activeCanvas().mapping().scale * devicePixelRatioF();
}

void CompareGrid::markActive() {
  for (int index = 0; index < kMostPanes; ++index) {
    canvas(index).setActive(visible_ > 1 && index == workbench_.activeIndex());
  }
}

void CompareGrid::arrange() {
  const bool beside = visible_ == 4 || width() >= height();
  const int columns = visible_ == 1 ? 1 : (beside ? 2 : 1);
  const int rows = visible_ / columns;
  // Whole and equal sizes, so that linked canvases show the same to the pixel.
  const QSize cell((width() - (columns - 1) * kCanvasGap) / columns,
                   (height() - (rows - 1) * kCanvasGap) / rows);
  for (int index = 0; index < visible_; ++index) {
    const QPoint place(index % columns * (cell.width() + kCanvasGap),
                       index / columns * (cell.height() + kCanvasGap));
    canvas(index).setGeometry(QRect(place, cell));
  }
}

QSize CompareGrid::sizeHint() const { return {760, 560}; }

QSize CompareGrid::minimumSizeHint() const {
  const QSize one = canvases_.front()->minimumSizeHint();
  return visible_ == 1 ? one : 2 * one + QSize(kCanvasGap, kCanvasGap);
}

void CompareGrid::resizeEvent(QResizeEvent* /*event*/) { arrange(); }

}  // namespace adamerge::ui
