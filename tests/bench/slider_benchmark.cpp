// SPDX-License-Identifier: GPL-3.0-or-later
// From a move of the compression slider to the new result in its pane, as the window has it, and
// where the time goes: adamerge_slider_benchmark [MODEL [IMAGE]].
#include <fmt/format.h>

#include <QApplication>
#include <QElapsedTimer>
#include <QEventLoop>
#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "adamerge/engine.h"
#include "state/workbench.h"

namespace adamerge::ui {
namespace {

constexpr int kValues = 50;

/// Sleeps between events, as the window does: a loop that polls would take a core from the engine.
void waitFor(const std::function<bool()>& condition) {
  QEventLoop loop;
  while (!condition()) loop.processEvents(QEventLoop::WaitForMoreEvents);
}

double milliseconds(const std::function<void()>& work) {
  QElapsedTimer timer;
  timer.start();
  work();
  return static_cast<double>(timer.nsecsElapsed()) * 1e-6;
}

void report(const std::string& what, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  fmt::print("  {:<44} median {:7.2f} ms   10 % {:7.2f}   90 % {:7.2f}\n", what,
             times[times.size() / 2], times[times.size() / 10], times[times.size() * 9 / 10]);
}

bool idle(const Pane& pane) { return !pane.busy() && pane.inspection() != nullptr; }

std::vector<double> moves(Workbench& bench, int first) {
  std::vector<double> times;
  Pane& pane = bench.pane(0);
  for (int i = 0; i < kValues; ++i) {
    times.push_back(milliseconds([&] {
      bench.setCompression(0, first + i);
      waitFor([&] { return idle(pane); });
    }));
  }
  return times;
}

std::vector<double> runs(const Engine& engine, const Inspection& inspection, bool trace) {
  std::vector<double> times;
  MethodChoice choice = inspection.choice;
  for (int i = 0; i < kValues; ++i) {
    choice.settings["r_max"] = std::int64_t{10 + i};
    times.push_back(milliseconds(
        [&] { engine.run(std::span(&inspection.prepared->input, 1), choice, {.trace = trace}); }));
  }
  return times;
}

void measure(const std::string& model, const std::string& image, const std::string& dtype) {
  fmt::print("{}, {}\n", model, dtype);
  Workbench bench;
  bench.sweeper().setEnabled(false);
  Pane& pane = bench.pane(0);
  const double first = milliseconds([&] {
    bench.models().load(model, {.dtype = dtype});
    bench.pictures().open(image);
    waitFor([&] { return idle(pane); });
  });
  fmt::print("  {:<44}        {:7.2f} ms\n", "model and picture to the first result", first);
  moves(bench, 60);
  report("slider to new result", moves(bench, 10));
  report("slider to kept result", moves(bench, 10));
  const Inspection& shown = *pane.inspection();
  report("the run alone, traced", runs(*bench.engine(), shown, true));
  report("the run alone, untraced", runs(*bench.engine(), shown, false));
  std::vector<double> survivors;
  for (int i = 0; i < kValues; ++i) {
    survivors.push_back(milliseconds([&] {
      for (int block = 0; block < shown.depth(); ++block) {
        survivingPatches(shown.result.layers, block);
      }
    }));
  }
  report("surviving patches of every block", survivors);
  bench.setCompression(0, 9);
  bench.sweeper().setEnabled(true);
  bench.edit(0, {"adamerge", {{"alpha", 1.01}}, nullptr, false}, "settings");
  waitFor([&] { return idle(pane); });
  report("slider to new result during a sweep", moves(bench, 10));
}

}  // namespace
}  // namespace adamerge::ui

int main(int argc, char** argv) {
  const QApplication application(argc, argv);
  const std::string model = argc > 1 ? argv[1] : ADAMERGE_MODELS "/vit-tiny-cifar10";
  const std::string image = argc > 2 ? argv[2] : ADAMERGE_SAMPLES "/bird.png";
  for (const char* dtype : {"float32", "bfloat16"}) adamerge::ui::measure(model, image, dtype);
  return 0;
}
