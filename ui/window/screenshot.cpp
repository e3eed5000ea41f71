// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/screenshot.h"

#include <QApplication>
#include <QSaveFile>
#include <cstdio>

#include "state/workbench.h"
#include "window/main_window.h"
#include "window/stage.h"

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
  if (workbench_.model() == nullptr || workbench_.picture() == nullptr) return false;
  for (int index = 0; index < workbench_.paneCount(); ++index) {
    const Pane& pane = workbench_.pane(index);
    if (pane.busy() || pane.inspection() == nullptr) return false;
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

}  // namespace adamerge::ui
