// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/start.h"

#include <QApplication>

#include "state/workbench.h"
#include "window/main_window.h"
#include "window/opener.h"
#include "window/screenshot.h"
#include "window/session_keeper.h"

namespace adamerge::ui {
namespace {

/// The block is known to fit once the model is there.
void chooseBlock(Workbench& workbench, int block) {
  auto* once = new QObject(&workbench);
  QObject::connect(&workbench, &Workbench::modelChanged, once, [&workbench, once, block] {
    workbench.view().setBlock(block - 1);
    once->deleteLater();
  });
}

}  // namespace

void applyStartOptions(const StartOptions& options, Workbench& workbench, MainWindow& window) {
  if (options.theme) window.setTheme(*options.theme);
  const bool nothing_named = options.open.isEmpty() && !options.model_named;
  const bool restored = nothing_named && !options.fresh && window.sessions().restoreLast();
  if (!restored) {
    workbench.models().load(options.model, options.engine);
    window.opener().openPath(
        options.open.isEmpty() ? QString::fromStdString(options.sample.string()) : options.open);
  }
  if (options.choice) workbench.restoreChoice(0, *options.choice);
  if (options.panes) workbench.setPaneCount(*options.panes);
  if (options.overlay) {
    OverlayStyle style = workbench.view().overlay();
    style.kind = *options.overlay;
    workbench.view().setOverlay(style);
  }
  if (options.block) chooseBlock(workbench, *options.block);
  if (options.size) window.resize(*options.size);
}

int startStudio(QApplication& application, const StartOptions& options) {
  Q_UNUSED(application);
  QSettings settings;
  Workbench workbench;
  MainWindow window(workbench, settings);
  if (options.fresh || !options.screenshot.isEmpty()) window.forgetSession();
  // Before anything can go wrong that it should tell.
  if (!options.screenshot.isEmpty()) new Screenshot(workbench, window, options.screenshot);
  applyStartOptions(options, workbench, window);
  window.show();
  return QApplication::exec();
}

}  // namespace adamerge::ui
