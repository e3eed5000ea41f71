// SPDX-License-Identifier: GPL-3.0-or-later
#include <QApplication>
#include <QSettings>
#include <QtTest>
#include <csignal>

#include "export_tests.h"
#include "temporary_folder.h"

int main(int argc, char** argv) {
  using namespace adamerge::ui::test;
  QApplication application(argc, argv);
  QCoreApplication::setOrganizationName("adamerge-test");
  QCoreApplication::setApplicationName("export-test");
  const adamerge::test::TemporaryFolder settings;
  QSettings::setDefaultFormat(QSettings::IniFormat);
  QSettings::setPath(QSettings::IniFormat, QSettings::UserScope,
                     QString::fromStdString(settings.path().string()));
  // The full disk of these tests is a limit of the file size, which would end the program.
  std::signal(SIGXFSZ, SIG_IGN);
  int failed = 0;
  for (const auto make :
       {makeEmbeddedSettingsTest, makeExportSourcesTest, makeExportPlanTest, makeExportDialogTest,
        makeBatchPlanTest, makeBatchJobTest, makeBatchDialogTest}) {
    failed += QTest::qExec(make().get(), argc, argv);
  }
  return failed;
}
