// SPDX-License-Identifier: GPL-3.0-or-later
// How the lineage panel draws itself.
#include <QPainter>
#include <QScrollBar>

#include "canvas/canvas_decor.h"
#include "canvas/lineage_panel.h"

namespace adamerge::ui {
namespace {

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
                     Qt::AlignRight | Qt::AlignBottom,
                     QString::number(static_cast<double>(line.join->similarity), 'f', 3));
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
