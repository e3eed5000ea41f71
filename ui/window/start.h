// SPDX-License-Identifier: GPL-3.0-or-later
// Opens the window on what the command line or the last session asks for, and runs the program.
#pragma once

#include "window/start_options.h"

class QApplication;

namespace adamerge::ui {

class MainWindow;
class Workbench;

/// The program's exit status.
int startStudio(QApplication& application, const StartOptions& options);

/// Begins to load and show what `options` ask for.
void applyStartOptions(const StartOptions& options, Workbench& workbench, MainWindow& window);

}  // namespace adamerge::ui
