// SPDX-License-Identifier: GPL-3.0-or-later
// One line at the foot of a dialog that says how the last action went, or asks one question: no
// second window for either. Takes no space while it has nothing to say.
#pragma once

#include <QWidget>
#include <functional>

#include "controls/palette.h"

class QHBoxLayout;
class QLabel;

namespace adamerge::ui {

class NoticeLine : public QWidget {
  Q_OBJECT
 public:
  explicit NoticeLine(QWidget* parent = nullptr);

  void clear();
  void showInfo(const QString& text);
  void showError(const QString& text);
  /// "Exported to ...", with a button that opens the folder.
  void showWritten(const QString& text, const QString& folder);
  /// Asks; `accept` runs when its button is pressed. Any other notice withdraws the question.
  void ask(const QString& text, const QString& accept_label, std::function<void()> accept);

  bool asking() const { return asking_; }
  QString text() const;

 private:
  void show(const QString& text, const QString& mark, Tone tone);
  void addButton(const QString& label, std::function<void()> action);

  QHBoxLayout* layout_;
  QLabel* mark_;
  QLabel* text_;
  bool asking_ = false;
};

}  // namespace adamerge::ui
