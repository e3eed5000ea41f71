// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/busy_indicator.h"

#include <QPainter>

namespace adamerge::ui {
namespace {

constexpr int kDelay = 150;  ///< ms; most results come sooner
constexpr int kFrame = 80;   ///< ms
constexpr int kStep = 36;    ///< degrees
constexpr int kSide = 20;

}  // namespace

BusyIndicator::BusyIndicator(QWidget* parent) : QWidget(parent) {
  setAttribute(Qt::WA_TransparentForMouseEvents);
  setFixedSize(kSide, kSide);
  setAccessibleName(tr("Computing"));
  delay_.setSingleShot(true);
  delay_.setInterval(kDelay);
  frames_.setInterval(kFrame);
  connect(&delay_, &QTimer::timeout, this, [this] {
    show();
    frames_.start();
  });
  connect(&frames_, &QTimer::timeout, this, &BusyIndicator::turn);
  hide();
}

void BusyIndicator::setBusy(bool busy) {
  if (busy) {
    if (!delay_.isActive() && !frames_.isActive()) delay_.start();
    return;
  }
  delay_.stop();
  frames_.stop();
  hide();
}

void BusyIndicator::turn() {
  angle_ = (angle_ + kStep) % 360;
  update();
}

void BusyIndicator::paintEvent(QPaintEvent* /*event*/) {
  constexpr int kSixteenths = 16;
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  QColor backing = palette().color(QPalette::Window);
  backing.setAlpha(232);
  painter.setPen(Qt::NoPen);
  painter.setBrush(backing);
  painter.drawEllipse(rect());
  painter.setPen(QPen(palette().color(QPalette::Highlight), 2.2, Qt::SolidLine, Qt::RoundCap));
  painter.drawArc(QRectF(rect()).adjusted(4, 4, -4, -4), -angle_ * kSixteenths, 270 * kSixteenths);
}

}  // namespace adamerge::ui
