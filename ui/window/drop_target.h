// SPDX-License-Identifier: GPL-3.0-or-later
// Takes what is dropped anywhere on the window.
#pragma once

#include <QObject>

#include "shell/drop_overlay.h"
#include "shell/dropped_content.h"

namespace adamerge::ui {

class DropTarget : public QObject {
  Q_OBJECT
 public:
  explicit DropTarget(QWidget* window);

 signals:
  void dropped(const adamerge::ui::DroppedContent& content);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  DropOverlay* overlay_;
};

}  // namespace adamerge::ui
