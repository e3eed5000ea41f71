// SPDX-License-Identifier: GPL-3.0-or-later
// Whether a widget's focus is to be shown: it came by key, or keys are in use. A click says itself
// where it went.
#pragma once

#include <QObject>

class QWidget;

namespace adamerge::ui {

class KeyboardFocus : public QObject {
  Q_OBJECT
 public:
  explicit KeyboardFocus(QWidget& widget);

  bool shown() const { return shown_; }

 signals:
  void changed();

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void setShown(bool shown);

  bool shown_ = false;
};

}  // namespace adamerge::ui
