// SPDX-License-Identifier: GPL-3.0-or-later
#include <QApplication>
#include <QtTest>

#include "controls_tests.h"

int main(int argc, char** argv) {
  using namespace adamerge::ui::test;
  QApplication application(argc, argv);
  int failed = 0;
  for (const auto make : {makeLookTest, makeLabelsTest, makeOverlayFormTest, makeMethodFormTest,
                          makeSettingEditTest, makeCompressionTest, makeCalibrationDialogTest}) {
    failed += QTest::qExec(make().get(), argc, argv);
  }
  return failed;
}
