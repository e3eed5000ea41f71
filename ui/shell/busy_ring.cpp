// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/busy_ring.h"

#include <QPainter>

namespace adamerge::ui {
namespace {

constexpr int kDelay = 150;  ///< ms
constexpr int kFrame = 50;   ///< ms
constexpr int kDots = 10;

}  // namespace

BusyRing::BusyRing(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  setAccessibleName(tr("Idle"));
  delay_.setSingleShot(true);
  delay_.setInterval(kDelay);
  turn_.setInterval(kFrame);
  connect(&delay_, &QTimer::timeout, &turn_, qOverload<>(&QTimer::start));
  connect(&turn_, &QTimer::timeout, this, [this] {
    phase_ = (phase_ + 1) % kDots;
    update();
  });
}

void BusyRing::setBusy(bool busy) {
  const bool was = delay_.isActive() || turn_.isActive();
  if (busy == was) return;
  setAccessibleName(busy ? tr("Computing") : tr("Idle"));
  setToolTip(busy ? tr("The model runs on the picture; the newest setting comes first.")
                  : QString());
  if (busy) return delay_.start();
  delay_.stop();
  turn_.stop();
  update();
}

QSize BusyRing::sizeHint() const {
  const int side = fontMetrics().height();
  return {side, side};
}

void BusyRing::paintEvent(QPaintEvent*) {
  if (!turn_.isActive()) return;
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  painter.translate(QRectF(rect()).center());
  const double radius = std::min(width(), height()) / 2.0;
  for (int dot = 0; dot < kDots; ++dot) {
    QColor color = palette().color(QPalette::Highlight);
    const int age = (phase_ - dot + kDots) % kDots;
    color.setAlphaF(1.0F - 0.85F * static_cast<float>(age) / kDots);
    painter.setBrush(color);
    painter.save();
    painter.rotate(360.0 * dot / kDots);
    painter.drawEllipse(QPointF(0, -radius * 0.76), radius * 0.2, radius * 0.2);
    painter.restore();
  }
}

}  // namespace adamerge::ui
