// SPDX-License-Identifier: GPL-3.0-or-later
// A small turning ring while something is computed. Short work does not make it flash, and its
// place stays reserved.
#pragma once

#include <QTimer>
#include <QWidget>

namespace adamerge::ui {

class BusyRing : public QWidget {
  Q_OBJECT
 public:
  explicit BusyRing(QWidget* parent = nullptr);

  void setBusy(bool busy);
  /// The ring is drawn.
  bool turning() const { return turn_.isActive(); }
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QTimer delay_;
  QTimer turn_;
  int phase_ = 0;
};

}  // namespace adamerge::ui
