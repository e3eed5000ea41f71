// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/start.h"

#include <QApplication>
#include <QSaveFile>
#include <cstdio>

#include "bench/workbench.h"
#include "sources/sources.h"
#include "window/main_window.h"
#include "window/stage.h"
#include "window/window_session.h"

namespace adamerge::ui {
namespace {

constexpr int kInterval = 50;
/// Ticks without anything under way, so that thumbnails and plots have been drawn too.
constexpr int kCalmTicks = 6;
constexpr int kLongest = 120'000;

}  // namespace

Screenshot::Screenshot(Workbench& workbench, MainWindow& window, QString path)
    : QObject(&window), workbench_(workbench), window_(window), path_(std::move(path)) {
  connect(&window.stage().messages(), &MessageBar::shown, this,
          [this](Severity severity, const QString& text) {
            if (severity == Severity::kError) fail(text);
          });
  connect(&timer_, &QTimer::timeout, this, &Screenshot::check);
  timer_.start(kInterval);
  clock_.start();
}

bool Screenshot::settled() const {
  if (!workbench_.settled()) return false;
  for (int index = 0; index < workbench_.paneCount(); ++index) {
    const SweepPtr sweep = workbench_.sweeper().sweep(index);
    if (sweep != nullptr && !sweep->complete) return false;
  }
  return true;
}

void Screenshot::check() {
  calm_ = settled() ? calm_ + 1 : 0;
  if (calm_ >= kCalmTicks) {
    take();
  } else if (clock_.elapsed() > kLongest) {
    fail(tr("nothing to show within %1 s").arg(kLongest / 1000));
  }
}

void Screenshot::take() {
  timer_.stop();
  QSaveFile file(path_);
  if (!file.open(QIODevice::WriteOnly) || !window_.grab().save(&file, "PNG") || !file.commit()) {
    fail(tr("%1 cannot be written: %2").arg(path_, file.errorString()));
    return;
  }
  QApplication::exit(0);
}

void Screenshot::fail(const QString& message) {
  timer_.stop();
  std::fprintf(stderr, "adamerge-studio: %s\n", qPrintable(message));
  // Queued: the event loop that is to end may not run yet.
  QMetaObject::invokeMethod(
      qApp, [] { QApplication::exit(1); }, Qt::QueuedConnection);
}

namespace {

/// Once the model is there; a load that fails ends the wait.
void chooseBlock(Workbench& workbench, int block) {
  auto* once = new QObject(&workbench);
  QObject::connect(&workbench, &Workbench::modelChanged, once, [&workbench, once, block] {
    once->deleteLater();
    const int depth = workbench.view().depth();
    workbench.view().setBlock(block - 1);
    if (block <= depth) return;
    workbench.report(QObject::tr("--block %1: the model has blocks 1 to %2; block %2 is shown.")
                         .arg(block)
                         .arg(depth));
  });
  QObject::connect(&workbench.models(), &ModelLoader::failed, once, &QObject::deleteLater);
  QObject::connect(&workbench.models(), &ModelLoader::cancelled, once, &QObject::deleteLater);
}

}  // namespace

void applyStartOptions(const StartOptions& options, Workbench& workbench, MainWindow& window) {
  if (options.theme) window.setTheme(*options.theme);
  const bool nothing_named = options.open.isEmpty() && !options.model_named;
  const bool restored = nothing_named && !options.fresh && window.sessions().restoreLast();
  if (!restored) {
    workbench.models().load(options.model, options.engine);
    window.sources().openPath(
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
  if (options.size) {
    window.setWindowState(Qt::WindowNoState);
    window.resize(*options.size);
  }
}

bool Application::notify(QObject* receiver, QEvent* event) {
  try {
    return QApplication::notify(receiver, event);
  } catch (const std::exception& error) {
    // Through Qt's event loop no exception may go: the program goes on.
    if (report_) {
      report_(errorText(error));
    } else {
      std::fprintf(stderr, "adamerge-studio: %s\n", error.what());
    }
    return true;
  }
}

int startStudio(Application& application, const StartOptions& options) {
  QSettings settings;
  Workbench workbench;
  MainWindow window(workbench, settings);
  application.reportTo([&workbench](const QString& problem) { workbench.report(problem); });
  if (options.fresh || !options.screenshot.isEmpty()) window.forgetSession();
  // Before anything can go wrong that it should tell.
  if (!options.screenshot.isEmpty()) new Screenshot(workbench, window, options.screenshot);
  applyStartOptions(options, workbench, window);
  window.show();
  const int status = QApplication::exec();
  application.reportTo({});
  return status;
}

}  // namespace adamerge::ui
