// SPDX-License-Identifier: GPL-3.0-or-later
#include <QDoubleSpinBox>
#include <QSlider>
#include <QTimer>
#include <numeric>
#include <span>

#include "measurement.h"
#include "parts.h"

namespace adamerge::ui {
namespace {

constexpr int kValues = 50;
constexpr int kSweepValues = 20;
/// Published points lie here: mild merging, the model's slower end.
constexpr int kMildest = 20;
/// Moves come as from a mouse.
constexpr int kDragMoves = 250;
constexpr int kDragInterval = 8;

/// `count` different values over the slider's range.
std::vector<int> values(const QDoubleSpinBox& number, int count) {
  std::vector<int> values;
  const int least = static_cast<int>(number.minimum());
  const int range = static_cast<int>(number.maximum()) - least;
  for (int i = 1; i <= count; ++i) values.push_back(least + range * i / (count + 1));
  return values;
}

std::vector<int> mildValues() {
  std::vector<int> values(kMildest);
  std::iota(values.begin(), values.end(), 1);
  return values;
}

struct Moves {
  std::vector<double> painted;
  std::vector<double> work;  ///< of the interface's thread, for a move and all that follows it
};

Moves moves(BenchWindow& bench, const std::vector<int>& values) {
  Moves moves;
  QDoubleSpinBox& number = bench.number();
  for (const int value : values) {
    const double before = threadTime();
    moves.painted.push_back(bench.untilResultPainted([&] { number.setValue(value); }));
    bench.calm();
    moves.work.push_back(threadTime() - before);
  }
  return moves;
}

/// The same choices, nothing but the model.
std::vector<double> runs(BenchWindow& bench, const std::vector<int>& values) {
  std::vector<double> times;
  const Inspection& shown = *bench.workbench().pane(0).inspection();
  MethodChoice choice = shown.choice;
  for (const int value : values) {
    choice.settings["r_max"] = std::int64_t{value};
    const Clock::time_point begin = Clock::now();
    bench.workbench().engine()->run(std::span(&shown.prepared->input, 1), choice);
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  return times;
}

/// Nothing computed before holds for the choice any more.
void forgetResults(BenchWindow& bench) {
  MethodChoice choice = bench.workbench().pane(0).choice();
  double& alpha = std::get<double>(choice.settings["alpha"]);
  alpha += 1e-3;
  const MethodChoice changed = choice;
  bench.untilResultPainted([&] { bench.workbench().edit(0, changed, "settings"); });
}

/// From one new picture to the next while the slider is dragged from end to end.
std::vector<double> drag(BenchWindow& bench) {
  std::vector<double> intervals;
  QSlider& slider = bench.slider();
  Pane& pane = bench.workbench().pane(0);
  Clock::time_point last = Clock::now();
  const auto connection = QObject::connect(&pane, &Pane::inspectionChanged, [&] {
    const std::chrono::duration<double, std::milli> interval = Clock::now() - last;
    intervals.push_back(interval.count());
    last = Clock::now();
  });
  int move = 0;
  QEventLoop loop;
  QTimer timer;
  QObject::connect(&timer, &QTimer::timeout, [&] {
    const int range = slider.maximum() - slider.minimum();
    slider.setValue(slider.minimum() + range * ++move / kDragMoves);
    if (move == kDragMoves) loop.quit();
  });
  slider.setSliderDown(true);
  timer.start(kDragInterval);
  loop.exec();
  slider.setSliderDown(false);
  bench.settle();
  QObject::disconnect(connection);
  return intervals;
}

}  // namespace

void measureSlider(FrameWatch& watch, const Subject& subject, double target) {
  BenchWindow bench(watch, subject);
  Sweeper& sweeper = bench.workbench().sweeper();
  sweeper.setEnabled(false);
  bench.settle();
  // Half precision without its instructions says nothing: nobody is given it.
  if (subject.dtype == "auto" && bench.workbench().model()->dtype == "float32") return;
  const std::vector<int> chosen = values(bench.number(), kValues);
  forgetResults(bench);
  const Moves whole = moves(bench, chosen);
  send({"slider to new picture, whole range", whole.painted, "ms", target});
  send({"the interface's own work for a move", whole.work, "ms", {}});
  send({"slider to kept picture", moves(bench, chosen).painted, "ms", {}});
  forgetResults(bench);
  send({"slider to new picture, 1 to 20", moves(bench, mildValues()).painted, "ms", target});
  send({"the model's run alone", runs(bench, chosen), "ms", {}});
  forgetResults(bench);
  send({"slider dragged: from picture to picture", drag(bench), "ms", {}});
  sweeper.setEnabled(true);
  forgetResults(bench);
  send({"slider to new picture during a sweep",
        moves(bench, values(bench.number(), kSweepValues)).painted, "ms", target});
}

}  // namespace adamerge::ui
