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

#include "bench/traces.h"
#include "look/paint.h"

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
  if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    if (view_.hoveredPatch() && rowOf(*view_.hoveredPatch()) >= 0) {
      view_.select(view_.hoveredPatch());
    }
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
      .arg(similarityText(row.join->similarity));
}

namespace {

// How the lineage panel draws itself.

constexpr double kLine = 1.5;
constexpr double kEmphasisedLine = 2.5;
constexpr double kDot = 3;

}  // namespace

void LineagePanel::paintEvent(QPaintEvent* /*event*/) {
  QPainter painter(viewport());
  painter.fillRect(viewport()->rect(), palette().color(QPalette::Base));
  if (inspection_ == nullptr) {
    paintEmptyState(painter, tr("No patch is selected"),
                    tr("Click a patch in the picture to see which merges made its token."),
                    viewport()->rect(), palette());
    return;
  }
  painter.setRenderHint(QPainter::Antialiasing);
  painter.save();
  painter.translate(-horizontalScrollBar()->value(), 0);
  paintHeader(painter);
  painter.setClipRect(horizontalScrollBar()->value(), layout_.header, viewport()->width(),
                      viewport()->height() - layout_.header);
  painter.translate(0, layout_.header - verticalScrollBar()->value());
  // A row's connector may begin above what is visible, so only rows wholly above are left out.
  const int first = verticalScrollBar()->value() / layout_.row_height;
  for (int row = 0; row < static_cast<int>(rows_.size()); ++row) {
    if (row >= first) paintRow(painter, row);
  }
  if (rows_.size() == 1) {
    painter.setPen(mutedText(palette()));
    const int top = layout_.size().height();
    painter.drawText(
        QRect(layout_.leaf(0).left(), top, viewport()->width() - 16, 3 * fontMetrics().height()),
        Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap,
        tr("This patch stays a token of its own: nothing merged with it."));
  }
  painter.restore();
  if (focus_.shown()) paintFocusRing(painter, viewport()->rect(), palette());
}

void LineagePanel::paintHeader(QPainter& painter) {
  QColor band = palette().color(QPalette::Highlight);
  band.setAlphaF(0.16F);
  const int block = std::min(view_.block(), layout_.depth - 1);
  painter.fillRect(
      QRect(layout_.x(block) - layout_.column / 2, 0, layout_.column, viewport()->height()), band);
  QFont bold = font();
  bold.setBold(true);
  for (int index = 0; index < layout_.depth; ++index) {
    painter.setFont(index == block ? bold : font());
    painter.setPen(index == block ? palette().color(QPalette::Text) : mutedText(palette()));
    painter.drawText(
        QRect(layout_.x(index) - layout_.column / 2, 0, layout_.column, layout_.header),
        Qt::AlignCenter, QString::number(index + 1));
  }
  painter.setFont(font());
  painter.setPen(mutedText(palette()));
  painter.drawText(QRect(layout_.leaf(0).left(), 0, layout_.first_column, layout_.header),
                   Qt::AlignLeft | Qt::AlignVCenter, tr("Block"));
  painter.drawLine(horizontalScrollBar()->value(), layout_.header,
                   horizontalScrollBar()->value() + viewport()->width(), layout_.header);
}

void LineagePanel::paintRow(QPainter& painter, int row) {
  const LineageRow& line = rows_[static_cast<std::size_t>(row)];
  const bool selected = view_.selectedPatch() == line.patch;
  const bool hovered = view_.hoveredPatch() == line.patch;
  const QRect leaf = layout_.leaf(row);
  const int y = layout_.y(row);
  const int end = line.join ? layout_.x(line.join->block)
                            : layout_.first_column + layout_.depth * layout_.column;
  if (hovered) {
    QColor wash = palette().color(QPalette::Highlight);
    wash.setAlphaF(0.16F);
    painter.fillRect(QRect(0, row * layout_.row_height, layout_.size().width(), layout_.row_height),
                     wash);
  }
  const QColor ink = palette().color(QPalette::Text);
  painter.setPen(QPen(selected ? palette().color(QPalette::Highlight) : ink,
                      selected ? kEmphasisedLine : kLine));
  painter.drawLine(leaf.right() + 4, y, end, y);
  if (line.join) {
    const int top = layout_.y(line.joins_row);
    painter.drawLine(end, y, end, top);
    painter.setBrush(painter.pen().color());
    painter.setPen(Qt::NoPen);
    painter.drawEllipse(QPointF(end, top), kDot, kDot);
    painter.setPen(ink);
    painter.drawText(QRect(leaf.right() + 4, y - layout_.row_height / 2, end - leaf.right() - 8,
                           layout_.row_height / 2 - 1),
                     Qt::AlignRight | Qt::AlignBottom, similarityText(line.join->similarity));
  }
  painter.drawPixmap(leaf, thumbnail(line.patch));
  if (selected || hovered) {
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(palette().color(QPalette::Highlight), selected ? 3 : 1.5));
    painter.drawRect(QRectF(leaf).adjusted(-1.5, -1.5, 1.5, 1.5));
  }
}

QPixmap LineagePanel::thumbnail(int patch) {
  QPixmap& kept = thumbnails_[patch];
  const double ratio = devicePixelRatioF();
  if (!kept.isNull() && kept.devicePixelRatio() == ratio) return kept;
  const int side = qRound(layout_.thumbnail * ratio);
  kept = QPixmap(side, side);
  kept.fill(palette().color(QPalette::Mid));
  QPainter painter(&kept);
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  // First to whole pixels of the picture: scaled down in one step it would alias.
  const QRectF place = inspection_->patchRect(patch);
  const QImage part = inspection_->picture->pixels.copy(place.toAlignedRect());
  painter.drawImage(QRectF(0, 0, side, side),
                    part.scaled(std::min(part.width(), 2 * side), std::min(part.height(), 2 * side),
                                Qt::IgnoreAspectRatio, Qt::SmoothTransformation));
  painter.end();
  kept.setDevicePixelRatio(ratio);
  return kept;
}

}  // namespace adamerge::ui
