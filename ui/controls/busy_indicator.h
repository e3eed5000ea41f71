// SPDX-License-Identifier: GPL-3.0-or-later
// A small turning arc that appears only when something takes long enough to be noticed. Its place
// stays reserved.
#pragma once

#include <QTimer>
#include <QWidget>

namespace adamerge::ui {

class BusyIndicator : public QWidget {
  Q_OBJECT
 public:
  explicit BusyIndicator(QWidget* parent = nullptr);

  void setBusy(bool busy);
  /// The arc is drawn.
  bool turning() const { return frames_.isActive(); }
  /// A disc behind the arc, for one that stands on a picture.
  void setBacking(bool backing) { backing_ = backing; }
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QTimer delay_;
  QTimer frames_;
  bool backing_ = false;
  int angle_ = 0;
};

}  // namespace adamerge::ui
