// SPDX-License-Identifier: GPL-3.0-or-later
#include <unistd.h>

#include <QFile>
#include <QSlider>
#include <random>

#include "canvas/canvas_view.h"
#include "measurement.h"
#include "parts.h"

namespace adamerge::ui {
namespace {

/// More moves come between two frames than frames can be drawn.
constexpr int kMovesPerTurn = 3;
/// Kept results are thrown away so often, or the model would rest after the first hundred moves.
constexpr int kFreshEvery = 1000;
constexpr int kWaitEvery = 20;
constexpr int kSampleEvery = 100;

/// Of this process, in MB.
double residentMemory() {
  QFile file(QStringLiteral("/proc/self/statm"));
  if (!file.open(QIODevice::ReadOnly)) return 0;
  const QList<QByteArray> fields = file.readAll().split(' ');
  return fields.value(1).toDouble() * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

}  // namespace

void measureMemory(FrameWatch& watch, const Subject& subject, int moves) {
  BenchWindow bench(watch, subject);
  bench.settle();
  bench.finishSweeps();
  QSlider& slider = bench.slider();
  std::mt19937 random(1);
  std::uniform_int_distribution<int> step(1, slider.maximum() - slider.minimum());
  const auto elsewhere = [&] {
    const int range = slider.maximum() - slider.minimum() + 1;
    return slider.minimum() + (slider.value() - slider.minimum() + step(random)) % range;
  };
  std::vector<double> memory{residentMemory()};
  std::vector<double> turns;
  for (int move = 1; move <= moves; ++move) {
    if (move % kFreshEvery == 0) {
      bench.workbench().useStatistics(bench.workbench().engine()->statistics());
    }
    if (move % kWaitEvery == 0) {
      bench.untilResultPainted([&] {
        slider.setValue(elsewhere());
        // Back where the picture still is, nothing is to be painted.
        bench.canvas().update();
      });
    } else {
      slider.setValue(elsewhere());
    }
    if (move % kMovesPerTurn == 0) {
      const Clock::time_point begin = Clock::now();
      QApplication::processEvents();
      const std::chrono::duration<double, std::milli> took = Clock::now() - begin;
      turns.push_back(took.count());
    }
    if (move % kSampleEvery == 0) memory.push_back(residentMemory());
  }
  bench.settle();
  bench.finishSweeps();
  memory.push_back(residentMemory());
  const auto third = memory[memory.size() / 3];
  send({"memory before the first move", {memory.front()}, "MB", {}});
  send({"memory after a third of the moves", {third}, "MB", {}});
  send({"memory after all moves", {memory.back()}, "MB", {}});
  send({"growth over the last two thirds", {memory.back() - third}, "MB", {}});
  send({"turn of the event loop while the slider moves", turns, "ms", {}});
}

}  // namespace adamerge::ui
