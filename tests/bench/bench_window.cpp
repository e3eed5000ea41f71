// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench_window.h"

#include <fmt/format.h>

#include <QDoubleSpinBox>
#include <QEventLoop>
#include <QSlider>
#include <QTimer>
#include <cstdlib>
#include <ctime>

#include "bench/data.h"
#include "window/stage.h"
#include "window/start.h"

namespace adamerge::ui {
namespace {

constexpr QSize kWindow{1440, 900};
/// Two passes of Segment Anything's ViT-B on a busy machine.
constexpr int kLongestWait = 600'000;
constexpr Clock::duration kLongestSweep = std::chrono::seconds(30);
/// The interface is at rest when it took less than this in as long as that, in ms.
constexpr double kRestingWork = 0.3;
constexpr int kRestingTime = 15;

double milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

double threadTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

BenchWindow::BenchWindow(FrameWatch& watch, const Subject& subject)
    : watch_(watch),
      settings_(folder_.filePath(QStringLiteral("settings.ini")), QSettings::IniFormat),
      window_(workbench_, settings_) {
  QObject::connect(&workbench_, &Workbench::failed, [](const QString& message) {
    fmt::print(stderr, "{}\n", message.toStdString());
    std::exit(1);
  });
  StartOptions options;
  options.model = subject.model;
  options.engine.dtype = subject.dtype;
  options.open = QString::fromStdString(subject.image);
  options.size = kWindow;
  options.fresh = true;
  window_.forgetSession();
  applyStartOptions(options, workbench_, window_);
  window_.show();
}

CanvasView& BenchWindow::canvas() { return window_.stage().grid().canvas(0); }

QSlider& BenchWindow::slider() {
  return *window_.findChild<QSlider*>(QStringLiteral("compression"));
}

QDoubleSpinBox& BenchWindow::number() {
  return *window_.findChild<QDoubleSpinBox*>(QStringLiteral("compression-number"));
}

void BenchWindow::waitFor(const std::function<bool()>& condition) {
  // Sleeps between events: a loop that polls would take a core from the engine.
  QEventLoop loop;
  QTimer limit;
  limit.start(kLongestWait);
  QObject::connect(&limit, &QTimer::timeout, [] {
    fmt::print(stderr, "nothing came within {} s\n", kLongestWait / 1000);
    std::exit(1);
  });
  while (!condition()) loop.processEvents(QEventLoop::WaitForMoreEvents);
}

void BenchWindow::settle() {
  waitFor([this] { return workbench_.settled(); });
  calm();
}

void BenchWindow::finishSweeps() {
  const Clock::time_point begin = Clock::now();
  QTimer often;
  often.start(100);
  waitFor([this, begin] {
    if (Clock::now() - begin > kLongestSweep) {
      workbench_.sweeper().setEnabled(false);
      return true;
    }
    for (int index = 0; index < workbench_.paneCount(); ++index) {
      const SweepPtr sweep = workbench_.sweeper().sweep(index);
      if (sweep != nullptr && !sweep->complete) return false;
    }
    return true;
  });
  calm();
}

void BenchWindow::calm() {
  double before = 0;
  do {
    before = threadTime();
    QEventLoop loop;
    QTimer::singleShot(kRestingTime, &loop, &QEventLoop::quit);
    loop.exec();
  } while (threadTime() - before > kRestingWork);
}

double BenchWindow::untilPainted(const std::function<void()>& act,
                                 const std::function<bool()>& shown) {
  watch_.expect([&shown](CanvasView&) { return shown(); });
  const Clock::time_point begin = Clock::now();
  act();
  waitFor([this] { return watch_.frame().has_value(); });
  return milliseconds(*watch_.frame() - begin);
}

double BenchWindow::untilResultPainted(const std::function<void()>& act) {
  const Pane& pane = workbench_.pane(0);
  return untilPainted(act, [&pane] {
    return !pane.busy() && pane.inspection() != nullptr &&
           sameChoice(pane.inspection()->choice, pane.choice());
  });
}

}  // namespace adamerge::ui
