// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/lineage_panel.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QGuiApplication>
#include <QHelpEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>
#include <algorithm>

#include "canvas/canvas_decor.h"

namespace adamerge::ui {

LineagePanel::LineagePanel(Pane& pane, ViewState& view, QWidget* parent)
    : QAbstractScrollArea(parent), view_(view), focus_(*this) {
  setFrameShape(QFrame::NoFrame);
  setFocusPolicy(Qt::StrongFocus);
  viewport()->setMouseTracking(true);
  setAccessibleName(tr("Lineage of the selected token"));
  connect(&view_, &ViewState::selectionChanged, this, &LineagePanel::rebuild);
  const auto repaint = [this] { viewport()->update(); };
  connect(&view_, &ViewState::blockChanged, this, repaint);
  connect(&focus_, &KeyboardFocus::changed, this, repaint);
  connect(&view_, &ViewState::hoverChanged, this, repaint);
  setPane(pane);
}

void LineagePanel::setPane(Pane& pane) {
  if (pane_ != nullptr) pane_->disconnect(this);
  pane_ = &pane;
  connect(pane_, &Pane::inspectionChanged, this, &LineagePanel::rebuild);
  rebuild();
}

void LineagePanel::rebuild() {
  const InspectionPtr now = pane_ == nullptr ? nullptr : pane_->inspection();
  const bool other_picture = inspection_ == nullptr || now == nullptr ||
                             inspection_->picture != now->picture ||
                             inspection_->model != now->model;
  if (other_picture) thumbnails_.clear();
  const std::optional<int> patch = view_.selectedPatch();
  const bool shown =
      now != nullptr && now->depth() > 0 && patch && *patch < now->gridHeight() * now->gridWidth();
  inspection_ = shown ? now : nullptr;
  lineage_ = shown ? buildLineage(*now, *patch) : Lineage();
  rows_ = shown ? lineageRows(lineage_) : std::vector<LineageRow>();
  setAccessibleDescription(shown ? text() : tr("No patch is selected"));
  relayout();
  if (shown) revealRow(rowOf(*patch));
}

QString LineagePanel::text() const {
  return inspection_ == nullptr ? QString() : lineageText(*inspection_, lineage_);
}

void LineagePanel::copyText() const {
  if (inspection_ != nullptr) QGuiApplication::clipboard()->setText(text());
}

void LineagePanel::relayout() {
  const int depth = inspection_ == nullptr ? 0 : inspection_->depth();
  layout_ =
      lineageLayout(static_cast<int>(rows_.size()), depth, viewport()->width(), fontMetrics());
  const QSize content = inspection_ == nullptr ? QSize() : layout_.size();
  const int page = viewport()->height() - layout_.header;
  verticalScrollBar()->setRange(0, std::max(0, content.height() - page));
  verticalScrollBar()->setPageStep(page);
  verticalScrollBar()->setSingleStep(layout_.row_height);
  horizontalScrollBar()->setRange(0, std::max(0, content.width() - viewport()->width()));
  horizontalScrollBar()->setPageStep(viewport()->width());
  horizontalScrollBar()->setSingleStep(layout_.column);
  viewport()->update();
}

void LineagePanel::revealRow(int row) {
  if (row < 0) return;
  QScrollBar& bar = *verticalScrollBar();
  const int top = row * layout_.row_height;
  const int page = viewport()->height() - layout_.header;
  if (top < bar.value()) bar.setValue(top);
  if (top + layout_.row_height > bar.value() + page) bar.setValue(top + layout_.row_height - page);
}

int LineagePanel::rowOf(int patch) const {
  const auto found = std::find_if(rows_.begin(), rows_.end(),
                                  [patch](const LineageRow& row) { return row.patch == patch; });
  return found == rows_.end() ? -1 : static_cast<int>(found - rows_.begin());
}

std::optional<int> LineagePanel::rowAt(const QPoint& position) const {
  const int y = position.y() - layout_.header + verticalScrollBar()->value();
  if (position.y() < layout_.header || y < 0) return std::nullopt;
  const int row = y / layout_.row_height;
  if (row >= static_cast<int>(rows_.size())) return std::nullopt;
  return row;
}

QRect LineagePanel::leafRect(int patch) const {
  const int row = rowOf(patch);
  if (row < 0) return {};
  const QRect seen = viewport()->rect().adjusted(0, layout_.header, 0, 0);
  return seen.intersected(layout_.leaf(row).translated(
      -horizontalScrollBar()->value(), layout_.header - verticalScrollBar()->value()));
}

QSize LineagePanel::sizeHint() const { return {420, 260}; }

void LineagePanel::resizeEvent(QResizeEvent* /*event*/) { relayout(); }

void LineagePanel::mouseMoveEvent(QMouseEvent* event) {
  const std::optional<int> row = rowAt(event->position().toPoint());
  view_.hover(row ? std::optional(rows_[static_cast<std::size_t>(*row)].patch) : std::nullopt);
}

void LineagePanel::mousePressEvent(QMouseEvent* event) {
  const std::optional<int> row = rowAt(event->position().toPoint());
  if (event->button() == Qt::LeftButton && row) {
    view_.select(rows_[static_cast<std::size_t>(*row)].patch);
  }
}

void LineagePanel::keyPressEvent(QKeyEvent* event) {
  if (event->matches(QKeySequence::Copy)) {
    copyText();
    return;
  }
  if (event->key() == Qt::Key_Escape && view_.selectedPatch()) {
    view_.select(std::nullopt);
    return;
  }
  const bool down = event->key() == Qt::Key_Down;
  if (rows_.empty() || (!down && event->key() != Qt::Key_Up)) {
    QAbstractScrollArea::keyPressEvent(event);
    return;
  }
  const int now = rowOf(view_.hoveredPatch().value_or(view_.selectedPatch().value_or(-1)));
  const int row = std::clamp(now + (down ? 1 : -1), 0, static_cast<int>(rows_.size()) - 1);
  view_.hover(rows_[static_cast<std::size_t>(row)].patch);
  revealRow(row);
}

void LineagePanel::contextMenuEvent(QContextMenuEvent* event) {
  if (inspection_ == nullptr) return;
  QMenu menu(this);
  menu.addAction(tr("Copy as text"), QKeySequence::Copy, this, &LineagePanel::copyText);
  menu.exec(event->globalPos());
}

bool LineagePanel::event(QEvent* event) {
  // Here copying means the text, whatever the window copies.
  if (event->type() == QEvent::ShortcutOverride &&
      static_cast<QKeyEvent*>(event)->matches(QKeySequence::Copy)) {
    event->accept();
    return true;
  }
  return QAbstractScrollArea::event(event);
}

bool LineagePanel::viewportEvent(QEvent* event) {
  if (event->type() == QEvent::Leave) view_.hover(std::nullopt);
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    const std::optional<int> row = rowAt(help->pos());
    QToolTip::showText(help->globalPos(),
                       row ? toolTipOf(rows_[static_cast<std::size_t>(*row)]) : QString(),
                       viewport());
    return true;
  }
  return QAbstractScrollArea::viewportEvent(event);
}

QString LineagePanel::toolTipOf(const LineageRow& row) const {
  const QString name = patchName(*inspection_, row.patch);
  if (!row.join) {
    return tr("Patch at %1: its token survives and took in the others below").arg(name);
  }
  return tr("Patch at %1: its token (patches: %2) went in block %3 into that of %4 (patches: %5), "
            "similarity %6")
      .arg(name)
      .arg(row.join->source.size())
      .arg(row.join->block + 1)
      .arg(patchName(*inspection_, row.join->destination_survivor))
      .arg(row.join->destination.size())
      .arg(static_cast<double>(row.join->similarity), 0, 'f', 3);
}

}  // namespace adamerge::ui
