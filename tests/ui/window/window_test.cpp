// SPDX-License-Identifier: GPL-3.0-or-later
#include <QApplication>
#include <QtTest>

#include "window_tests.h"

int main(int argc, char** argv) {
  using namespace adamerge::ui::test;
  QApplication application(argc, argv);
  int failed = 0;
  for (const auto make :
       {makeInspectTest, makeOpeningTest, makeCompareTest, makeSessionTest, makeEvaluationTest}) {
    failed += QTest::qExec(make().get(), argc, argv);
  }
  return failed;
}
