// SPDX-License-Identifier: GPL-3.0-or-later
#include "controls/spin_boxes.h"

#include <QEvent>
#include <algorithm>
#include <cmath>

namespace adamerge::ui {
namespace {

class WheelGuard : public QObject {
 public:
  explicit WheelGuard(QWidget& widget) : QObject(&widget) {
    widget.setFocusPolicy(Qt::StrongFocus);
    widget.installEventFilter(this);
  }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override {
    if (event->type() != QEvent::Wheel || static_cast<QWidget*>(watched)->hasFocus()) return false;
    event->ignore();
    return true;
  }
};

}  // namespace

RealSpinBox::RealSpinBox(QWidget* parent) : QDoubleSpinBox(parent) {
  setDecimals(6);
  setKeyboardTracking(false);
}

QString RealSpinBox::textFromValue(double value) const {
  return locale().toString(value, 'f', QLocale::FloatingPointShortest);
}

void RealSpinBox::stepBy(int steps) {
  const double size = std::max(std::abs(value()), 1.0);
  const double by_size = std::pow(10.0, std::floor(std::log10(size)) - 1);
  const double step = std::min(by_size, (maximum() - minimum()) / 10);
  setValue(std::round((value() + steps * step) / step) * step);
  selectAll();
}

void ignoreWheelWithoutFocus(QWidget& widget) { new WheelGuard(widget); }

}  // namespace adamerge::ui
