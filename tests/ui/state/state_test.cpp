// SPDX-License-Identifier: GPL-3.0-or-later
// The computation behind the window and its view models, without a widget.
#include <QApplication>
#include <QtTest>
#include <memory>

#include "state_tests.h"

int main(int argc, char** argv) {
  const QApplication application(argc, argv);
  int failures = 0;
  for (const auto& make : {adamerge::ui::test::workerTest, adamerge::ui::test::loadersTest,
                           adamerge::ui::test::workbenchTest, adamerge::ui::test::resourcesTest,
                           adamerge::ui::test::flopsTest, adamerge::ui::test::sessionTest}) {
    const std::unique_ptr<QObject> test = make();
    failures += QTest::qExec(test.get(), argc, argv);
  }
  return failures;
}
