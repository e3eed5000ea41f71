// SPDX-License-Identifier: GPL-3.0-or-later
// The real window on a tiny encoder of Segment Anything's.
#pragma once

#include <QtTest>
#include <QtWidgets>

#include "window/stage.h"
#include "window_fixture.h"

namespace adamerge::ui::test {

inline const std::filesystem::path kSam =
    std::filesystem::path(ADAMERGE_FAMILIES).parent_path() / "dense" / "sam-hf";

/// The window on the tiny encoder and its photograph, StructSAM everywhere.
struct SamWindow : WindowFixture {
  explicit SamWindow(const std::string& method = "structsam") : WindowFixture(options()) {
    resized();
    workbench().models().load(kSam, {.dtype = "float32"});
    const bool loaded = QTest::qWaitFor(
        [&] {
          const LoadedModelPtr model = workbench().model();
          return model != nullptr && model->info.vit.isWindowed();
        },
        20'000);
    if (!loaded) qFatal("the encoder was not loaded");
    workbench().edit(0, {method, {}, nullptr, false}, QStringLiteral("test"));
    if (!settle()) qFatal("nothing came of it");
  }
  static StartOptions options() {
    StartOptions options;
    options.fresh = true;
    options.open = QString::fromStdString((kSam / "photo.png").string());
    return options;
  }
  void resized() { window().resize(1200, 800); }

  CanvasView& canvas() { return window().stage().grid().canvas(0); }
  Prompts prompts() { return promptsOf(pane().choice().settings); }
  QPoint at(double x, double y) { return canvas().mapping().toWidget({x, y}).toPoint(); }
  void click(const QPoint& place) { QTest::mouseClick(&canvas(), Qt::LeftButton, {}, place); }
  void drag(const QPoint& from, const QPoint& to) {
    QTest::mousePress(&canvas(), Qt::LeftButton, {}, from);
    for (int step = 1; step <= 4; ++step) {
      const QPointF place = QPointF(from) + QPointF(to - from) * step / 4;
      QMouseEvent move(QEvent::MouseMove, place, canvas().mapToGlobal(place), Qt::NoButton,
                       Qt::LeftButton, Qt::NoModifier);
      QCoreApplication::sendEvent(&canvas(), &move);
    }
    QTest::mouseRelease(&canvas(), Qt::LeftButton, {}, to);
  }
};

}  // namespace adamerge::ui::test
