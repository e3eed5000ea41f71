// SPDX-License-Identifier: GPL-3.0-or-later
#include "controls/busy_indicator.h"

#include <QPainter>

namespace adamerge::ui {
namespace {

constexpr int kDelay = 150;  ///< ms; most results come sooner
constexpr int kFrame = 80;   ///< ms
constexpr int kStep = 36;    ///< degrees
constexpr int kSide = 20;

}  // namespace

BusyIndicator::BusyIndicator(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  setAccessibleName(tr("Idle"));
  delay_.setSingleShot(true);
  delay_.setInterval(kDelay);
  frames_.setInterval(kFrame);
  connect(&delay_, &QTimer::timeout, this, [this] {
    frames_.start();
    update();
  });
  connect(&frames_, &QTimer::timeout, this, [this] {
    angle_ = (angle_ + kStep) % 360;
    update();
  });
}

void BusyIndicator::setBusy(bool busy) {
  const bool was = delay_.isActive() || frames_.isActive();
  if (busy == was) return;
  setAccessibleName(busy ? tr("Computing") : tr("Idle"));
  setToolTip(busy ? tr("The model runs on the picture; the newest setting comes first.")
                  : QString());
  if (busy) return delay_.start();
  delay_.stop();
  frames_.stop();
  update();
}

QSize BusyIndicator::sizeHint() const { return {kSide, kSide}; }

void BusyIndicator::paintEvent(QPaintEvent* /*event*/) {
  constexpr int kSixteenths = 16;
  if (!turning()) return;
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  if (backing_) {
    QColor disc = palette().color(QPalette::Window);
    disc.setAlpha(232);
    painter.setPen(Qt::NoPen);
    painter.setBrush(disc);
    painter.drawEllipse(rect());
  }
  painter.setPen(QPen(palette().color(QPalette::Highlight), 2.2, Qt::SolidLine, Qt::RoundCap));
  painter.drawArc(QRectF(rect()).adjusted(4, 4, -4, -4), -angle_ * kSixteenths, 270 * kSixteenths);
}

}  // namespace adamerge::ui
