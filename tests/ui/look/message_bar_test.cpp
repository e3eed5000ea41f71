// SPDX-License-Identifier: GPL-3.0-or-later
#include <QKeyEvent>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>
#include <QtTest>

#include "look/message.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

/// A bar above something that has the focus, as in the main window.
struct Window : QWidget {
  Window() {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(bar);
    column->addWidget(edit, 1);
    resize(500, 300);
    QWidget::show();
    edit->setFocus();
  }
  QLabel* label(const QString& text) const {
    for (auto* label : findChildren<QLabel*>()) {
      if (label->isVisible() && label->text() == text) return label;
    }
    return nullptr;
  }
  MessageBar* bar = new MessageBar(this);
  QPlainTextEdit* edit = new QPlainTextEdit(this);
};

/// Takes Esc while it has something to let go of.
struct Selection : QWidget {
  bool selected = true;
  void keyPressEvent(QKeyEvent* event) override {
    if (event->key() != Qt::Key_Escape || !selected) return QWidget::keyPressEvent(event);
    selected = false;
  }
};

}  // namespace

class MessageBarTest : public QObject {
  Q_OBJECT
 private slots:
  void opensAndClosesWithoutTakingTheFocus() {
    Window window;
    QVERIFY(QTest::qWaitForWindowActive(&window));
    QVERIFY(!window.bar->isVisible());
    QCOMPARE(window.edit->y(), 0);
    window.bar->show(Severity::kError, "cat.jpg: truncated");
    QVERIFY(window.edit->hasFocus());
    auto* text = window.bar->findChild<WrappedText*>();
    QCOMPARE(text->toPlainText(), QString("cat.jpg: truncated"));
    QTRY_VERIFY(window.bar->height() > text->height());
    QCOMPARE(window.edit->y(), window.bar->height());
    window.bar->dismiss();
    QTRY_VERIFY(!window.bar->isVisible());
    QTRY_COMPARE(window.edit->y(), 0);
    QVERIFY(window.edit->hasFocus());
  }

  void theNewestIsOnTopAndEqualOnesAreOne() {
    Window window;
    window.bar->show(Severity::kError, "first");
    window.bar->show(Severity::kWarning, "second");
    QCOMPARE(window.bar->text(), QString("second"));
    QVERIFY(window.label("1 of 2") != nullptr);
    window.bar->show(Severity::kError, "first");
    QCOMPARE(window.bar->count(), 2);
    QCOMPARE(window.bar->text(), QString("first"));
    QTest::mouseClick(window.bar->findChild<QToolButton*>(), Qt::LeftButton);
    QCOMPARE(window.bar->text(), QString("second"));
    QVERIFY(window.label("1 of 2") == nullptr);
  }

  void manyMessagesAreKeptWithinBounds() {
    Window window;
    for (int i = 0; i < 1000; ++i) {
      window.bar->show(Severity::kError, QString::number(i), {{"Try again", [] {}}});
    }
    QCOMPARE(window.bar->count(), 20);
    QCOMPARE(window.bar->text(), QString("999"));
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    QCOMPARE(window.bar->findChildren<QPushButton*>().size(), 1);
  }

  void anActionRunsOnceAndClosesItsMessage() {
    Window window;
    int runs = 0;
    window.bar->show(Severity::kWarning, "older");
    window.bar->show(Severity::kInfo, "This model is not calibrated.",
                     {{"Calibrate…", [&runs] { ++runs; }}});
    auto* button = window.bar->findChild<QPushButton*>();
    QCOMPARE(button->text(), QString("Calibrate…"));
    QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(runs, 1);
    QCOMPARE(window.bar->text(), QString("older"));
    QVERIFY(!button->isVisible());
  }

  void escapeClosesUnlessSomebodyElseUsesIt() {
    Window window;
    auto* selection = new Selection;
    selection->setFocusPolicy(Qt::StrongFocus);
    window.layout()->addWidget(selection);
    window.bar->show(Severity::kError, "one");
    window.bar->show(Severity::kError, "two");
    QTest::keyClick(selection, Qt::Key_Escape);
    QVERIFY(!selection->selected);
    QCOMPARE(window.bar->count(), 2);
    QTest::keyClick(selection, Qt::Key_Escape);
    QCOMPARE(window.bar->text(), QString("one"));
    QTest::keyClick(selection, Qt::Key_Escape);
    QCOMPARE(window.bar->count(), 0);
  }

  void notesLeaveByThemselvesErrorsStay() {
    Window window;
    window.bar->show(Severity::kError, "error");
    window.bar->show(Severity::kSuccess, "Saved.");
    // One does not leave from under the pointer.
    QCursor::setPos(window.mapToGlobal(QPoint(250, 280)));
    QTRY_VERIFY(!window.bar->underMouse());
    auto* timer = window.bar->findChild<QTimer*>();
    QVERIFY(timer->isActive());
    // What offers something leaves later.
    const int note = timer->interval();
    window.bar->show(Severity::kInfo, "offer", {{"Restore", {}}});
    QVERIFY(timer->interval() >= 4 * note);
    window.bar->dismiss();
    QCOMPARE(timer->interval(), note);
    timer->start(1);
    QTRY_COMPARE(window.bar->text(), QString("error"));
    QVERIFY(!timer->isActive());
  }

  void longTextWrapsInANarrowWindow() {
    Window window;
    const QString path = "/data/" + QString("x").repeated(300) + ".png: not a picture";
    window.bar->show(Severity::kError, path);
    window.resize(320, 300);
    auto* text = window.bar->findChild<WrappedText*>();
    QTRY_VERIFY(window.bar->height() > 4 * text->fontMetrics().height());
    QTRY_COMPARE(text->height(), text->heightForWidth(text->width()));
    QVERIFY(text->document()->idealWidth() <= text->width());
    QCOMPARE(window.width(), 320);
  }

  void hasANameForScreenReaders() {
    Window window;
    window.bar->show(Severity::kError, "cat.jpg: truncated");
    QCOMPARE(window.bar->accessibleName(), QString("Error: cat.jpg: truncated"));
    QCOMPARE(window.bar->findChild<QToolButton*>()->accessibleName(),
             QString("Close this message"));
  }

  void severityShowsInTheColour() {
    Window window;
    for (const Severity severity : {Severity::kInfo, Severity::kWarning, Severity::kError}) {
      window.bar->show(severity, "text");
      QTRY_VERIFY(window.bar->height() > 20);
      const QImage image = window.grab().toImage();
      QCOMPARE(image.pixelColor(1, window.bar->height() / 2), severityColor(severity));
      // The text stands on the bar's own colour.
      const auto* text = window.bar->findChild<WrappedText*>();
      const QPoint in_text = text->mapTo(&window, QPoint(text->width() - 3, text->height() / 2));
      QCOMPARE(image.pixelColor(in_text), image.pixelColor(in_text.x(), 2));
    }
  }
};

ADAMERGE_UI_TEST(MessageBarTest)

}  // namespace adamerge::ui::test

#include "message_bar_test.moc"
