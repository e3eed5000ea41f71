// SPDX-License-Identifier: GPL-3.0-or-later
// Runs one class of tests: ui_tests CLASS [arguments of Qt Test]; without a class all of them.
#include "ui_test.h"

#include <QApplication>
#include <QSettings>
#include <QTemporaryDir>
#include <QtTest>
#include <csignal>
#include <cstdio>
#include <map>

namespace adamerge::ui::test {
namespace {

std::map<std::string, Registration::Make>& registry() {
  static std::map<std::string, Registration::Make> tests;
  return tests;
}

}  // namespace

Registration::Registration(const std::string& name, const Make& make) { registry()[name] = make; }

}  // namespace adamerge::ui::test

int main(int argc, char** argv) {
  using adamerge::ui::test::registry;
  QApplication application(argc, argv);
  QApplication::setStyle(QStringLiteral("Fusion"));
  QCoreApplication::setOrganizationName("adamerge-test");
  QCoreApplication::setApplicationName("ui-tests");
  // What the program keeps between sessions is not the tester's.
  const QTemporaryDir kept;
  QSettings::setDefaultFormat(QSettings::IniFormat);
  QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, kept.path());
  qputenv("XDG_DATA_HOME", kept.path().toUtf8());
  // The full disk of some tests is a limit of the file size, which would end the program.
  std::signal(SIGXFSZ, SIG_IGN);
  const QStringList arguments = QCoreApplication::arguments();
  const bool named = arguments.size() > 1 && !arguments[1].startsWith('-');
  QStringList others = arguments;
  if (named) others.removeAt(1);
  int failed = 0;
  bool found = false;
  for (const auto& [name, make] : registry()) {
    if (named && name != arguments[1].toStdString()) continue;
    found = true;
    failed += QTest::qExec(make().get(), others);
  }
  if (found) return failed;
  std::fprintf(stderr, "no class of tests is called %s\n", qPrintable(arguments.value(1)));
  return 2;
}
