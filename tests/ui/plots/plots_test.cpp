// SPDX-License-Identifier: GPL-3.0-or-later
#include <QApplication>
#include <QtTest>

#include "plots_tests.h"

int main(int argc, char** argv) {
  using namespace adamerge::ui::test;
  QApplication application(argc, argv);
  QApplication::setStyle(QStringLiteral("Fusion"));
  int failed = 0;
  for (const auto make : {makeContentTest, makeSweepTest, makeAccuracyTest, makePanelTest,
                          makeZoomTest, makePlotExportTest, makePlotBindingsTest}) {
    failed += QTest::qExec(make().get(), argc, argv);
  }
  return failed;
}
