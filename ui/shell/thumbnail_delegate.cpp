// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/thumbnail_delegate.h"

#include <QPainter>
#include <QPainterPath>

#include "shell/severity.h"
#include "shell/thumbnail_model.h"

namespace adamerge::ui {
namespace {

constexpr int kPadding = 6;
constexpr int kGap = 2;  ///< between cells
constexpr double kRound = 5;

void paintGround(QPainter& painter, const QRectF& cell, const QStyleOptionViewItem& option) {
  const bool chosen = option.state.testFlag(QStyle::State_Selected);
  const bool hovered = option.state.testFlag(QStyle::State_MouseOver);
  if (!chosen && !hovered) return;
  QColor color = option.palette.color(QPalette::Highlight);
  color.setAlphaF(chosen ? 0.30F : 0.12F);
  painter.setBrush(color);
  painter.setPen(chosen ? QPen(option.palette.color(QPalette::Highlight), 2) : QPen(Qt::NoPen));
  painter.drawRoundedRect(cell.adjusted(1, 1, -1, -1), kRound, kRound);
}

void paintPlaceholder(QPainter& painter, const QRectF& box, const QPalette& palette) {
  painter.setPen(Qt::NoPen);
  painter.setBrush(blend(palette.color(QPalette::Base), palette.color(QPalette::Text), 0.08));
  painter.drawRoundedRect(box.adjusted(4, 12, -4, -12), kRound, kRound);
}

void paintBroken(QPainter& painter, const QRectF& box, const QPalette& palette) {
  paintPlaceholder(painter, box, palette);
  const QRectF glyph(box.center() - QPointF(15, 15), QSizeF(30, 30));
  paintSeverity(painter, glyph, Severity::kWarning);
}

void paintImage(QPainter& painter, const QRectF& box, const QImage& image) {
  const double ratio = painter.device()->devicePixelRatioF();
  const QSizeF size = QSizeF(image.size()) / ratio;
  QRectF target(box.center() - QPointF(size.width(), size.height()) / 2, size);
  // On whole device pixels, or the picture blurs.
  target.moveTo(std::round(target.x() * ratio) / ratio, std::round(target.y() * ratio) / ratio);
  painter.drawImage(target, image);
}

}  // namespace

int ThumbnailDelegate::height(const QFontMetrics& metrics) {
  return kSide + 2 * kPadding + kGap + metrics.height() + 4;
}

QSize ThumbnailDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
  return {kSide + 2 * kPadding + kGap, height(option.fontMetrics)};
}

void ThumbnailDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                              const QModelIndex& index) const {
  painter->save();
  painter->setRenderHint(QPainter::Antialiasing);
  painter->setRenderHint(QPainter::SmoothPixmapTransform);
  const QRectF cell = QRectF(option.rect).adjusted(kGap, kGap, 0, 0);
  paintGround(*painter, cell, option);

  const QRectF box(cell.center().x() - kSide / 2.0, cell.top() + kPadding, kSide, kSide);
  const bool broken = !index.data(ThumbnailModel::kProblemRole).toString().isEmpty();
  const auto image = broken ? QImage() : index.data(Qt::DecorationRole).value<QImage>();
  if (broken) {
    paintBroken(*painter, box, option.palette);
  } else if (image.isNull()) {
    paintPlaceholder(*painter, box, option.palette);
  } else {
    paintImage(*painter, box, image);
  }

  const QRectF line(cell.left() + kPadding, box.bottom() + 3, cell.width() - 2 * kPadding,
                    option.fontMetrics.height() + 2);
  painter->setPen(
      option.palette.color(broken ? QPalette::Disabled : QPalette::Active, QPalette::Text));
  painter->drawText(line, Qt::AlignCenter,
                    option.fontMetrics.elidedText(index.data(Qt::DisplayRole).toString(),
                                                  Qt::ElideMiddle, static_cast<int>(line.width())));
  painter->restore();
}

}  // namespace adamerge::ui
