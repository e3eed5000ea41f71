// SPDX-License-Identifier: GPL-3.0-or-later
// The attention of all heads of a block side by side, each with its entropy.
#pragma once

#include <QImage>
#include <QWidget>
#include <vector>

#include "bench/pane.h"

namespace adamerge::ui {

class HeadsView : public QWidget {
  Q_OBJECT
 public:
  HeadsView(Pane& pane, ViewState& view, QWidget* parent = nullptr);

  void setPane(Pane& pane);
  int headCount() const { return static_cast<int>(pictures_.size()); }
  /// Of one head with its text, in this widget.
  QRect tile(int head) const;

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void draw();
  QSize pictureSize() const;
  int columns() const;
  void choose(int head);

  Pane* pane_ = nullptr;
  ViewState& view_;
  std::vector<QImage> pictures_;
  std::vector<float> entropy_;
};

}  // namespace adamerge::ui
