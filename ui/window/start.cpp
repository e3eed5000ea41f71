// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/start.h"

#include <QApplication>
#include <QSaveFile>
#include <cstdio>

#include "bench/workbench.h"
#include "plots/sweep_plot.h"
#include "sources/sources.h"
#include "window/main_window.h"
#include "window/single_instance.h"
#include "window/stage.h"
#include "window/window_session.h"

namespace adamerge::ui {
namespace {

constexpr int kInterval = 50;
/// Ticks without anything under way, so that thumbnails and plots have been drawn too.
constexpr int kCalmTicks = 6;
/// Without any step forward: on a busy machine the sweeps of four canvases alone may take minutes.
constexpr int kLongest = 120'000;

}  // namespace

Screenshot::Screenshot(Workbench& workbench, MainWindow& window, QString path)
    : QObject(&window), workbench_(workbench), window_(window), path_(std::move(path)) {
  connect(&window.stage().messages(), &MessageBar::shown, this,
          [this](Severity severity, const QString& text) {
            if (severity == Severity::kError) fail(text);
          });
  const auto forward = [this] { clock_.start(); };
  connect(&workbench.models(), &ModelLoader::progressed, this, forward);
  connect(&workbench, &Workbench::modelChanged, this, forward);
  connect(&workbench, &Workbench::pictureChanged, this, forward);
  connect(&workbench.sweeper(), &Sweeper::changed, this, forward);
  for (int index = 0; index < kMostPanes; ++index) {
    connect(&workbench.pane(index), &Pane::changed, this, forward);
  }
  connect(&timer_, &QTimer::timeout, this, &Screenshot::check);
  timer_.start(kInterval);
  clock_.start();
}

QString Screenshot::awaited() const {
  if (workbench_.model() == nullptr) return tr("the model");
  if (workbench_.picture() == nullptr) return tr("the picture");
  for (int index = 0; index < workbench_.paneCount(); ++index) {
    const Pane& pane = workbench_.pane(index);
    if (pane.busy() || pane.inspection() == nullptr) return tr("canvas %1").arg(index + 1);
    const SweepPtr sweep = workbench_.sweeper().sweep(index);
    if (sweep == nullptr || sweep->complete || !showsSweeps()) continue;
    return tr("canvas %1's sweep, %2 of %3 settings done")
        .arg(index + 1)
        .arg(sweep->points.size())
        .arg(sweep->limit + 1);
  }
  return {};
}

bool Screenshot::showsSweeps() const {
  return workbench_.equalFlops() || window_.findChild<SweepPlot*>()->isVisible() ||
         window_.stage().compression().mode() != CompressionMode::kCount;
}

void Screenshot::check() {
  const QString waits_for = awaited();
  calm_ = waits_for.isEmpty() ? calm_ + 1 : 0;
  if (calm_ >= kCalmTicks) {
    take();
  } else if (clock_.elapsed() > kLongest) {
    fail(tr("nothing new for %1 s; still waiting for %2").arg(kLongest / 1000).arg(waits_for));
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
  window.offerModels(options.bundled_models);
  const bool nothing_named = options.open.isEmpty() && !options.model_named;
  const bool restored = nothing_named && !options.fresh && window.sessions().restoreLast();
  if (!restored) {
    workbench.models().load(options.model, options.engine);
    if (!options.model_warning.isEmpty()) {
      window.stage().messages().show(Severity::kWarning, options.model_warning);
    }
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
  std::optional<SingleInstance> door;
  if (!options.fresh && options.screenshot.isEmpty()) {
    door.emplace(SingleInstance::place());
    QObject::connect(&*door, &SingleInstance::asked, &window, [&window](const QString& path) {
      window.sources().openPath(path);
      if (window.isMinimized()) window.showNormal();
      window.raise();
      window.activateWindow();
    });
  }
  window.show();
  const int status = QApplication::exec();
  application.reportTo({});
  return status;
}

}  // namespace adamerge::ui
