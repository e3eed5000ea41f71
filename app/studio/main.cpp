// SPDX-License-Identifier: GPL-3.0-or-later
#include <QApplication>
#include <cstdio>

#include "command_line.h"
#include "window/start.h"

namespace {

/// Qt would abort with a core dump.
bool hasDisplay() {
  return qEnvironmentVariableIsSet("DISPLAY") || qEnvironmentVariableIsSet("WAYLAND_DISPLAY") ||
         qEnvironmentVariableIsSet("QT_QPA_PLATFORM");
}

}  // namespace

int main(int argc, char** argv) {
  const adamerge::studio::CommandLine line = adamerge::studio::readCommandLine(argc, argv);
  if (line.exit_status) return *line.exit_status;
  if (!hasDisplay()) {
    if (line.options.screenshot.isEmpty()) {
      std::fputs(
          "adamerge-studio: there is no display (DISPLAY and WAYLAND_DISPLAY are not set); use the "
          "command line program adamerge, or --screenshot FILE\n",
          stderr);
      return 1;
    }
    qputenv("QT_QPA_PLATFORM", "offscreen");
  }
  adamerge::ui::Application application(argc, argv);
  QApplication::setApplicationName("adamerge-studio");
  QApplication::setApplicationDisplayName("AdaMerge Studio");
  QApplication::setOrganizationName("AdaMerge");
  QApplication::setApplicationVersion(ADAMERGE_VERSION);
  return adamerge::ui::startStudio(application, line.options);
}
