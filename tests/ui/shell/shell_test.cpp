// SPDX-License-Identifier: GPL-3.0-or-later
#include <QApplication>
#include <QtTest>

#include "shell_tests.h"

int main(int argc, char** argv) {
  using namespace adamerge::ui::test;
  QApplication application(argc, argv);
  int failed = 0;
  for (const auto make :
       {makeAboutTest, makeDroppedContentTest, makeMessageBarTest, makeRecentListTest,
        makeShortcutSheetTest, makeStatusStripTest, makeThumbnailListTest, makeVideoTest}) {
    failed += QTest::qExec(make().get(), argc, argv);
  }
  return failed;
}
