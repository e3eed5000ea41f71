// SPDX-License-Identifier: GPL-3.0-or-later
// A sentence that wants attention, inside a form: icon, text, and optionally a button.
#pragma once

#include <QFrame>

#include "controls/palette.h"

class QLabel;
class QPushButton;

namespace adamerge::ui {

class Notice : public QFrame {
  Q_OBJECT
 public:
  explicit Notice(QWidget* parent = nullptr);

  /// Shown until the next call or clear().
  void show(Tone tone, const QString& text);
  void clear();
  QString text() const;
  /// The button below the text; an empty label takes it away.
  void setAction(const QString& label, const QString& tip = {});

 signals:
  void actionTriggered();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  void showIcon();

  Tone tone_ = Tone::kWarning;
  QLabel* icon_;
  QLabel* text_;
  QPushButton* action_;
};

}  // namespace adamerge::ui
