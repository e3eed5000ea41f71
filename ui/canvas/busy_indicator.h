// SPDX-License-Identifier: GPL-3.0-or-later
// A small turning arc that appears only when something takes long enough to be noticed.
#pragma once

#include <QTimer>
#include <QWidget>

namespace adamerge::ui {

class BusyIndicator : public QWidget {
  Q_OBJECT
 public:
  explicit BusyIndicator(QWidget* parent);

  void setBusy(bool busy);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void turn();

  QTimer delay_;
  QTimer frames_;
  int angle_ = 0;
};

}  // namespace adamerge::ui
