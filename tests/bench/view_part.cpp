// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <QAction>
#include <QActionGroup>
#include <QKeyEvent>
#include <QMouseEvent>
#include <algorithm>
#include <cstdlib>

#include "measurement.h"
#include "parts.h"
#include "window/actions.h"
#include "window/stage.h"

namespace adamerge::ui {
namespace {

constexpr double kFrameTarget = 16;
constexpr int kZoomSteps = 5;  ///< 1.25 each: three times as large as fitting
constexpr int kRounds = 3;
constexpr int kHoverRows = 2;

struct Look {
  std::string name;
  OverlayStyle style;
};

std::vector<Look> looks() {
  const auto look = [](const std::string& name, OverlayKind kind) {
    Look made{name, {}};
    made.style.kind = kind;
    return made;
  };
  std::vector<Look> looks{
      look("picture alone", OverlayKind::kNone),        look("salience", OverlayKind::kSalience),
      look("salience, smooth", OverlayKind::kSalience), look("groups", OverlayKind::kGroups),
      look("survivors", OverlayKind::kSurvivors),       look("attention", OverlayKind::kAttention)};
  looks[2].style.smooth = true;
  return looks;
}

/// Times of changes, and what the interface's thread did for all that follows them: strip, plots.
struct Changes {
  std::vector<double> painted;
  std::vector<double> drawn;  ///< of the time until then, what that thread computed
  std::vector<double> work;

  void add(BenchWindow& bench, const std::function<void()>& act,
           const std::function<bool()>& shown) {
    const double before = threadTime();
    painted.push_back(bench.untilPainted(act, shown));
    drawn.push_back(threadTime() - before);
    bench.calm();
    work.push_back(threadTime() - before);
  }

  void report(const std::string& what) const {
    send({what, painted, "ms", kFrameTarget});
    send({what + ": until drawn, processor time", drawn, "ms", {}});
    send({what + ": all that follows, processor time", work, "ms", {}});
  }
};

void press(QWidget& widget, int key) {
  QKeyEvent event(QEvent::KeyPress, key, Qt::NoModifier);
  QApplication::sendEvent(&widget, &event);
}

/// Through all blocks and back to the last.
void stepBlocks(BenchWindow& bench, Changes& changes) {
  const ViewState& view = bench.workbench().view();
  press(bench.canvas(), Qt::Key_End);
  bench.calm();
  while (view.block() > 0) {
    const int wanted = view.block() - 1;
    changes.add(
        bench, [&] { press(bench.canvas(), Qt::Key_Left); },
        [&] { return view.block() == wanted; });
  }
}

void measureBlocks(BenchWindow& bench, const Look& look, const std::string& place) {
  bench.workbench().view().setOverlay(look.style);
  bench.calm();
  Changes changes;
  stepBlocks(bench, changes);
  changes.report(fmt::format("block, {}, {}", look.name, place));
}

void measureOverlays(BenchWindow& bench, const std::string& place) {
  Changes changes;
  const ViewState& view = bench.workbench().view();
  for (int round = 0; round < kRounds; ++round) {
    for (QAction* action : bench.window().actions().overlays->actions()) {
      const auto wanted = static_cast<OverlayKind>(action->data().toInt());
      if (!action->isEnabled() || view.overlay().kind == wanted) continue;
      changes.add(
          bench, [&] { action->trigger(); }, [&] { return view.overlay().kind == wanted; });
    }
  }
  changes.report("overlay kind, " + place);
}

void measurePointer(BenchWindow& bench) {
  const InspectionPtr inspection = bench.workbench().pane(0).inspection();
  const ViewState& view = bench.workbench().view();
  CanvasView& canvas = bench.canvas();
  Changes changes;
  for (int patch = 0; patch < inspection->gridWidth() * kHoverRows; ++patch) {
    const QPointF place = canvas.mapping().toWidget(inspection->patchRect(patch).center());
    QMouseEvent move(QEvent::MouseMove, place, canvas.mapToGlobal(place), Qt::NoButton,
                     Qt::NoButton, Qt::NoModifier);
    changes.add(
        bench, [&] { QApplication::sendEvent(&canvas, &move); },
        [&] { return view.hoveredPatch() == patch; });
  }
  changes.report("pointer to the next patch, groups, fit");
}

void measureZoom(BenchWindow& bench) {
  Changes changes;
  for (const int key : {Qt::Key_Plus, Qt::Key_Minus}) {
    for (int step = 0; step < kZoomSteps; ++step) {
      changes.add(
          bench, [&] { press(bench.canvas(), key); }, [] { return true; });
    }
  }
  changes.report("one step of zoom, groups");
}

void measureAt(BenchWindow& bench, const std::string& place) {
  for (const Look& look : looks()) measureBlocks(bench, look, place);
  measureOverlays(bench, place);
}

}  // namespace

void measureView(FrameWatch& watch, const Subject& subject) {
  BenchWindow bench(watch, subject);
  bench.settle();
  bench.finishSweeps();
  const OverlayStyle usual;
  measureAt(bench, "fit");
  bench.workbench().view().setOverlay(usual);
  bench.calm();
  measurePointer(bench);
  measureZoom(bench);
  for (int step = 0; step < kZoomSteps; ++step) bench.canvas().zoomIn();
  measureAt(bench, "3x");
  bench.canvas().fit();
  bench.workbench().setPaneCount(2);
  bench.settle();
  bench.finishSweeps();
  Look difference{"difference, two canvases", usual};
  difference.style.kind = OverlayKind::kDifference;
  measureBlocks(bench, difference, "fit");
  measureBlocks(bench, {"groups, two canvases", usual}, "fit");
}

}  // namespace adamerge::ui
