// SPDX-License-Identifier: GPL-3.0-or-later
#include <QLabel>
#include <QMenuBar>
#include <QtTest>

#include "ui_test.h"
#include "window/shortcuts.h"

namespace adamerge::ui::test {

class ShortcutSheetTest : public QObject {
  Q_OBJECT
 private slots:
  void collectsTheActionsOfEachMenu() {
    QMenuBar bar;
    QMenu* file = bar.addMenu("&File");
    file->addAction("&Open pictures…")->setShortcut(QKeySequence("Ctrl+O"));
    file->addAction("No key");
    file->addMenu("Recent")->addAction("Salt && pepper")->setShortcut(QKeySequence("Ctrl+1"));
    bar.addMenu("&Window")->addAction("Nothing here");
    QAction* zoom = bar.addMenu("&View")->addAction("Zoom in");
    zoom->setShortcuts({QKeySequence("Ctrl++"), QKeySequence("Ctrl+=")});

    const std::vector<ShortcutGroup> groups = collectShortcuts(bar);
    QCOMPARE(groups.size(), 2U);
    QCOMPARE(groups[0].title, QString("File"));
    QCOMPARE(groups[0].rows.size(), 2U);
    QCOMPARE(groups[0].rows[0].what, QString("Open pictures"));
    QCOMPARE(groups[0].rows[0].keys, std::vector<QString>{"Ctrl+O"});
    QCOMPARE(groups[0].rows[1].what, QString("Salt & pepper"));
    QCOMPARE(groups[1].title, QString("View"));
    QCOMPARE(groups[1].rows[0].keys, (std::vector<QString>{"Ctrl++", "Ctrl+="}));
  }

  void plusIsAKey() {
    const auto width = [](const QString& shortcut) {
      return KeyCaps({shortcut}).sizeHint().width();
    };
    const int gap = width("A+A") - 2 * width("A");
    QCOMPARE(width("Ctrl++"), width("Ctrl") + gap + width("+"));
    QCOMPARE(width("Ctrl + A"), width("Ctrl+A"));
    KeyCaps plus({"+"});
    QVERIFY(width("+") >= plus.fontMetrics().horizontalAdvance('+'));
    QVERIFY(width("+") < width("A+A"));
  }

  void showsAllOfThemUnclipped() {
    const std::vector<ShortcutGroup> menus{{"File", {{"Open pictures", {"Ctrl+O"}}}},
                                           {"View", {{"Zoom in", {"Ctrl++", "Ctrl+="}}}}};
    const std::vector<ShortcutGroup> more{{"Canvas", {{"Let go of the group", {"Esc"}}}}};
    ShortcutSheet sheet(menus, more);
    sheet.show();
    const QStringList expected{"File",    "Open pictures", "View",
                               "Zoom in", "Canvas",        "Let go of the group"};
    QStringList shown;
    for (const auto* label : sheet.findChildren<QLabel*>()) {
      QVERIFY2(label->width() >= label->sizeHint().width(), qPrintable(label->text()));
      shown << label->text();
    }
    for (const QString& text : expected) QVERIFY2(shown.contains(text), qPrintable(text));
    QStringList keys;
    for (const auto* caps : sheet.findChildren<KeyCaps*>()) {
      QVERIFY(caps->width() >= caps->sizeHint().width());
      keys << caps->accessibleName();
    }
    QCOMPARE(keys, (QStringList{"Ctrl+O", "Ctrl++ or Ctrl+=", "Esc"}));
    QTest::keyClick(&sheet, Qt::Key_Escape);
    QVERIFY(!sheet.isVisible());
  }
};

ADAMERGE_UI_TEST(ShortcutSheetTest)

}  // namespace adamerge::ui::test

#include "shortcut_sheet_test.moc"
