// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/canvas_view.h"
#include "measurement.h"
#include "parts.h"
#include "window/start.h"

namespace adamerge::ui {
namespace {

constexpr double kStartTarget = 1000;

}  // namespace

void measureStart(FrameWatch& watch, const Subject& subject, Clock::time_point spawned) {
  const auto sinceSpawned = [spawned] {
    return std::chrono::duration<double, std::milli>(Clock::now() - spawned).count();
  };
  const double main = sinceSpawned();
  StartOptions options;
  options.model = subject.model;
  options.engine.dtype = subject.dtype;
  options.open = QString::fromStdString(subject.image);
  options.fresh = true;
  const auto arrived = [&](const std::string& what, std::optional<double> target) {
    send({what, {sinceSpawned()}, "ms", target});
  };
  const auto result = [](CanvasView& canvas) { return canvas.pane().inspection() != nullptr; };
  watch.expect([](CanvasView&) { return true; },
               [&] {
                 arrived("start to the empty window", {});
                 watch.expect(result, [&] {
                   arrived("start to the first result", kStartTarget);
                   QApplication::exit(0);
                 });
               });
  send({"start to main()", {main}, "ms", {}});
  startStudio(watch, options);
}

}  // namespace adamerge::ui
