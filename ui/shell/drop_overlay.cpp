// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/drop_overlay.h"

#include <QEvent>
#include <QPainter>
#include <algorithm>

#include "shell/severity.h"

namespace adamerge::ui {
namespace {

constexpr int kMargin = 48;
constexpr int kPadding = 20;
constexpr int kIcon = 48;

/// An arrow into a tray.
void paintArrow(QPainter& painter, const QRectF& rect, const QColor& color) {
  painter.save();
  painter.setPen(QPen(color, rect.width() * 0.075, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  painter.setBrush(Qt::NoBrush);
  const auto at = [&](double x, double y) {
    return rect.topLeft() + QPointF(rect.width() * x, rect.height() * y);
  };
  painter.drawLine(at(0.5, 0.08), at(0.5, 0.62));
  painter.drawPolyline(QPolygonF({at(0.28, 0.42), at(0.5, 0.64), at(0.72, 0.42)}));
  painter.drawPolyline(QPolygonF({at(0.1, 0.66), at(0.1, 0.9), at(0.9, 0.9), at(0.9, 0.66)}));
  painter.restore();
}

}  // namespace

DropOverlay::DropOverlay(QWidget* covered) : QWidget(covered) {
  setAttribute(Qt::WA_TransparentForMouseEvents);
  setFocusPolicy(Qt::NoFocus);
  covered->installEventFilter(this);
  QFont large = font();
  large.setPointSizeF(large.pointSizeF() * 1.3);
  setFont(large);
  hide();
}

void DropOverlay::show(const DroppedContent& content) {
  text_ = describeDrop(content);
  usable_ = content.usable();
  setAccessibleName(text_);
  setGeometry(parentWidget()->rect());
  raise();
  QWidget::show();
  update();
}

bool DropOverlay::eventFilter(QObject* watched, QEvent* event) {
  if (watched == parentWidget() && event->type() == QEvent::Resize) {
    setGeometry(parentWidget()->rect());
  }
  return QWidget::eventFilter(watched, event);
}

void DropOverlay::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  QColor dim = palette().color(QPalette::Window);
  dim.setAlphaF(0.82F);
  painter.fillRect(rect(), dim);
  const QColor accent =
      usable_ ? palette().color(QPalette::Highlight) : severityColor(Severity::kWarning);
  painter.setPen(QPen(accent, 2, Qt::DashLine));
  painter.drawRoundedRect(QRectF(rect()).adjusted(12, 12, -12, -12), 10, 10);
  paintCard(painter, QRectF(rect()).adjusted(kMargin, kMargin, -kMargin, -kMargin));
}

void DropOverlay::paintCard(QPainter& painter, const QRectF& card) {
  const auto flags = static_cast<int>(Qt::AlignHCenter | Qt::AlignTop) | Qt::TextWrapAnywhere;
  const int plain = static_cast<int>(Qt::AlignHCenter | Qt::AlignTop) | Qt::TextWordWrap;
  QRectF text = painter.boundingRect(card, plain, text_);
  const int wrap = text.width() > card.width() ? flags : plain;
  text = painter.boundingRect(card, wrap, text_);
  const double height = kIcon + 16 + text.height();
  const QRectF icon(card.center().x() - kIcon / 2.0, card.center().y() - height / 2, kIcon, kIcon);
  // A plain ground: text on zebra stripes is hard to read.
  const double width = std::max(text.width(), double{kIcon});
  const QRectF ground(card.center().x() - width / 2, icon.top(), width, height);
  painter.setPen(Qt::NoPen);
  painter.setBrush(palette().color(QPalette::Window));
  painter.drawRoundedRect(ground.adjusted(-kPadding, -kPadding, kPadding, kPadding), 10, 10);
  if (usable_) {
    paintArrow(painter, icon, palette().color(QPalette::Highlight));
  } else {
    paintSeverity(painter, icon, Severity::kWarning);
  }
  painter.setPen(palette().color(QPalette::WindowText));
  painter.drawText(QRectF(card.left(), icon.bottom() + 16, card.width(), text.height() + 2), wrap,
                   text_);
}

}  // namespace adamerge::ui
