// SPDX-License-Identifier: GPL-3.0-or-later
// What the program says: errors, notes and questions, in words and inside the window.
#pragma once

#include <QColor>
#include <QFrame>
#include <QRectF>
#include <QString>
#include <QTextEdit>
#include <QTimer>
#include <deque>
#include <functional>
#include <vector>

class QHBoxLayout;
class QLabel;
class QPainter;
class QToolButton;

namespace adamerge::ui {

/// By colour and by shape, for those who do not see the colour.
enum class Severity { kInfo, kSuccess, kWarning, kError };

QColor severityColor(Severity severity);
/// "Error", for screen readers.
QString severityName(Severity severity);
/// A disc with i or tick, a triangle with !, an octagon with a cross.
void paintSeverity(QPainter& painter, const QRectF& rect, Severity severity);

struct MessageAction {
  QString text;
  std::function<void()> run;
  QString tip = {};
};
/// Shows a folder in the desktop's file manager.
MessageAction openFolderAction(const QString& folder);

/// Selectable plain text that wraps anywhere if need be: a path without spaces still fits a narrow
/// window, which a QLabel would cut off.
class WrappedText : public QTextEdit {
  Q_OBJECT
 public:
  explicit WrappedText(QWidget* parent = nullptr);

  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override;
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
};

/// One message: in a form, at the foot of a dialog, in the window's bar. Takes no room while it has
/// nothing to say, and never the focus.
class MessageLine : public QFrame {
  Q_OBJECT
 public:
  enum class Buttons { kBeside, kBelow };
  explicit MessageLine(Buttons buttons = Buttons::kBeside, QWidget* parent = nullptr);

  using QFrame::show;
  /// In place of what is shown.
  void show(Severity severity, const QString& text, std::vector<MessageAction> actions = {});
  /// A question: `accept` runs when its button is pressed; "Keep", or any other message, withdraws
  /// it.
  void ask(const QString& text, const QString& accept_label, std::function<void()> accept);
  void clear();
  bool asking() const { return asking_; }
  QString text() const;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  class Mark;
  void removeButtons();

  Severity severity_ = Severity::kInfo;
  bool asking_ = false;
  QString whole_;  ///< what is shown may be cut
  Mark* mark_;
  WrappedText* text_;
  QHBoxLayout* buttons_;
};

/// The newest message on top; closing it brings the one before. Esc that nobody else in the window
/// used closes it.
class MessageBar : public QWidget {
  Q_OBJECT
 public:
  explicit MessageBar(QWidget* parent = nullptr);

  using QWidget::show;
  /// One of equal severity and text takes the older one's place. Notes and successes leave by
  /// themselves; warnings and errors stay until closed, or until what they are about is over.
  /// Running an action closes its message.
  void show(Severity severity, const QString& text, std::vector<MessageAction> actions = {});
  int count() const { return static_cast<int>(messages_.size()); }
  /// The text on top; empty: none.
  QString text() const;

 public slots:
  /// Closes the message on top.
  void dismiss();
  void dismissAll();

 signals:
  void shown(adamerge::ui::Severity severity, const QString& text);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Message {
    Severity severity;
    QString text;
    std::vector<MessageAction> actions;
  };
  void showTop();
  void giveFocusBack();

  std::deque<Message> messages_;  ///< newest last
  MessageLine* line_;
  QLabel* counter_;
  QToolButton* close_;
  QTimer leave_{this};
};

}  // namespace adamerge::ui
