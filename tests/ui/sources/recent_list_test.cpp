// SPDX-License-Identifier: GPL-3.0-or-later
#include <QMenu>
#include <QSettings>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>
#include <fstream>

#include "sources/recent.h"
#include "ui_test.h"

namespace adamerge::ui::test {

namespace fs = std::filesystem;

class RecentListTest : public QObject {
  Q_OBJECT
 private:
  std::unique_ptr<QTemporaryDir> temporary_;
  std::unique_ptr<QSettings> settings_;

  fs::path folder() const { return temporary_->path().toStdString(); }
  void reopenSettings() {
    settings_ =
        std::make_unique<QSettings>(temporary_->filePath("studio.ini"), QSettings::IniFormat);
  }

 private slots:
  void init() {
    temporary_ = std::make_unique<QTemporaryDir>();
    reopenSettings();
  }

  void isKeptBetweenStartsNewestFirst() {
    {
      RecentList list("images", *settings_);
      list.add("/photos/a.png");
      list.add("/photos/b, c.png");
      list.add("/photos/a.png");
      list.add("/photos/../photos/");
    }
    settings_->sync();
    reopenSettings();
    const RecentList list("images", *settings_);
    const std::vector<fs::path> expected{"/photos", "/photos/a.png", "/photos/b, c.png"};
    QCOMPARE(list.paths(), expected);
    QVERIFY(RecentList("models", *settings_).paths().empty());
  }

  void holdsTenAtMost() {
    RecentList list("images", *settings_);
    for (int i = 0; i < 25; ++i) list.add("/photos/" + std::to_string(i) + ".png");
    QCOMPARE(list.paths().size(), 10U);
    QCOMPARE(list.paths().front(), fs::path("/photos/24.png"));
    QCOMPARE(RecentList("images", *settings_).paths(), list.paths());
  }

  void theMenuOpensWhatIsThereAndGreysWhatIsNot() {
    std::ofstream(folder() / "salt & pepper.png") << "x";
    RecentList list("images", *settings_);
    list.add(folder() / "gone.png");
    list.add(folder() / "salt & pepper.png");
    QMenu menu;
    list.fillMenu(&menu);
    QVERIFY(QMetaObject::invokeMethod(&menu, "aboutToShow"));
    QList<QAction*> actions = menu.actions();
    QCOMPARE(actions[0]->text(), QString("&1  salt && pepper.png"));
    QVERIFY(actions[0]->isEnabled());
    QCOMPARE(actions[1]->text(), QString("&2  gone.png"));
    QVERIFY(!actions[1]->isEnabled());
    QVERIFY(actions[1]->toolTip().endsWith("gone.png is no longer there."));
    QSignalSpy chosen(&list, &RecentList::chosen);
    actions[0]->trigger();
    QCOMPARE(chosen.size(), 1);
    QCOMPARE(chosen[0][0].value<fs::path>(), folder() / "salt & pepper.png");
    // It comes back, and is offered again.
    std::ofstream(folder() / "gone.png") << "x";
    QVERIFY(QMetaObject::invokeMethod(&menu, "aboutToShow"));
    QVERIFY(menu.actions()[1]->isEnabled());
  }

  void equalNamesAreToldApart() {
    RecentList list("models", *settings_);
    list.add("/a/vit");
    list.add("/b/vit");
    QMenu menu;
    list.fillMenu(&menu);
    QCOMPARE(menu.actions()[0]->text(), QString("&1  vit (in b)"));
    QCOMPARE(menu.actions()[1]->text(), QString("&2  vit (in a)"));
  }

  void whatComesWithTheProgramIsAlwaysOffered() {
    RecentList list("models", *settings_);
    list.offer({folder() / "small", folder() / "tiny"});
    fs::create_directory(folder() / "tiny");
    QMenu menu;
    list.fillMenu(&menu);
    QCOMPARE(menu.actions().size(), 2);
    QVERIFY(!menu.actions()[0]->isEnabled());
    QCOMPARE(menu.actions()[1]->text(), QString("tiny (comes with the program)"));
    QSignalSpy chosen(&list, &RecentList::chosen);
    menu.actions()[1]->trigger();
    QCOMPARE(chosen[0][0].value<fs::path>(), folder() / "tiny");
    // Once opened it stands with the others, once.
    list.add(folder() / "tiny");
    QVERIFY(QMetaObject::invokeMethod(&menu, "aboutToShow"));
    QCOMPARE(menu.actions()[0]->text(), QString("&1  tiny"));
    QCOMPARE(menu.actions()[1]->text(), QString("small (comes with the program)"));
    QVERIFY(menu.actions()[2]->isSeparator());
    QCOMPARE(menu.actions().size(), 4);
  }

  void anEmptyListSaysSoAndCanBeCleared() {
    RecentList list("models", *settings_);
    QMenu menu;
    list.fillMenu(&menu);
    QCOMPARE(menu.actions().size(), 1);
    QVERIFY(!menu.actions()[0]->isEnabled());
    list.add("/a/vit");
    QVERIFY(QMetaObject::invokeMethod(&menu, "aboutToShow"));
    menu.actions().back()->trigger();
    QVERIFY(list.paths().empty());
    QVERIFY(RecentList("models", *settings_).paths().empty());
  }
};

ADAMERGE_UI_TEST(RecentListTest)

}  // namespace adamerge::ui::test

#include "recent_list_test.moc"
