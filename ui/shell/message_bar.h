// SPDX-License-Identifier: GPL-3.0-or-later
// Errors and notices inside the window, in words, instead of dialogs. The newest is on top; closing
// it brings the one before. Put it at the top of a vertical layout: it slides open by itself and
// never takes the focus. Esc that nobody else in the window used closes it.
#pragma once

#include <QVariantAnimation>
#include <QWidget>
#include <deque>
#include <functional>
#include <vector>

#include "shell/severity.h"

class QHBoxLayout;
class QLabel;
class QTimer;
class QToolButton;

namespace adamerge::ui {

class WrappedText;

struct MessageAction {
  QString text;
  std::function<void()> run;
};

class MessageBar : public QWidget {
  Q_OBJECT
 public:
  explicit MessageBar(QWidget* parent = nullptr);

  using QWidget::show;
  /// One of equal severity and text takes the older one's place. Notes and successes without
  /// actions leave by themselves; warnings and errors stay until closed. Running an action closes
  /// its message.
  void show(Severity severity, const QString& text, std::vector<MessageAction> actions = {});

  int count() const { return static_cast<int>(messages_.size()); }
  /// The text on top; empty: none.
  QString text() const;

  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override;
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 public slots:
  /// Closes the message on top.
  void dismiss();
  void dismissAll();

 signals:
  void shown(adamerge::ui::Severity severity, const QString& text);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  struct Message {
    Severity severity;
    QString text;
    std::vector<MessageAction> actions;
  };

  void showTop();
  void addActions(const Message& message);
  void slide(double to);
  void placeContent();
  void giveFocusBack();
  bool leavesByItself() const;

  std::deque<Message> messages_;  ///< newest last
  QWidget* content_;
  QWidget* glyph_;
  WrappedText* label_;
  QHBoxLayout* buttons_;
  QLabel* counter_;
  QToolButton* close_;
  QTimer* leave_;
  QVariantAnimation slide_;
  double openness_ = 0;
  Severity severity_ = Severity::kInfo;  ///< painted; stays while the last one slides away
};

}  // namespace adamerge::ui
