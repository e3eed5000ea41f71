// SPDX-License-Identifier: GPL-3.0-or-later
// Spin boxes as the forms need them.
#pragma once

#include <QDoubleSpinBox>

namespace adamerge::ui {

/// A real number without trailing zeros, with steps that suit its range and size.
class RealSpinBox : public QDoubleSpinBox {
  Q_OBJECT
 public:
  explicit RealSpinBox(QWidget* parent = nullptr);

  QString textFromValue(double value) const override;
  void stepBy(int steps) override;
};

/// Scrolling a form must not change what the pointer happens to pass over.
void ignoreWheelWithoutFocus(QWidget& widget);

}  // namespace adamerge::ui
