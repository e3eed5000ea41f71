// SPDX-License-Identifier: GPL-3.0-or-later
// Several canvases: linked view, equal FLOPs, differences.
#include <QtTest>

#include "adamerge/figures.h"
#include "ui_test.h"
#include "window/actions.h"
#include "window/stage.h"
#include "window_fixture.h"

namespace adamerge::ui::test {

class CompareTest : public QObject {
  Q_OBJECT

 private slots:
  void init() {
    StartOptions options;
    options.fresh = true;
    options.choice = MethodChoice{"adamerge", {{"r_max", std::int64_t{24}}}, nullptr, false};
    fixture_ = std::make_unique<WindowFixture>(options);
    QVERIFY(fixture_->settle());
  }
  void cleanup() { fixture_.reset(); }

  void showsTwoAndFour() {
    CompareGrid& grid = fixture_->window().stage().grid();
    for (const int count : {2, 4, 1}) {
      fixture_->workbench().setPaneCount(count);
      QVERIFY(fixture_->settle());
      for (int index = 0; index < 4; ++index) {
        QCOMPARE(grid.canvas(index).isVisible(), index < count);
        if (index >= count) continue;
        QCOMPARE(grid.canvas(index).width(), grid.canvas(0).width());
      }
    }
  }

  void otherCanvasesFollowTheFlopsOfTheFirst() {
    fixture_->workbench().sweeper().setEnabled(true);
    fixture_->workbench().setPaneCount(2);
    QVERIFY(fixture_->settle());
    fixture_->window().actions().compare_equal_flops->trigger();
    QVERIFY(fixture_->workbench().equalFlops());
    for (const int r_max : {40, 12}) {
      fixture_->workbench().setCompression(0, r_max);
      QTRY_VERIFY_WITH_TIMEOUT(nearest(1), 20'000);
    }
  }

  void zoomIsLinked() {
    fixture_->workbench().setPaneCount(2);
    QVERIFY(fixture_->settle());
    CompareGrid& grid = fixture_->window().stage().grid();
    grid.canvas(0).zoomIn();
    QCOMPARE(grid.canvas(0).mapping().scale, grid.canvas(1).mapping().scale);
    QVERIFY(!grid.viewPort().fits());
  }

  void pressingACanvasMakesItActive() {
    fixture_->workbench().setPaneCount(2);
    QVERIFY(fixture_->settle());
    CanvasView& second = fixture_->window().stage().grid().canvas(1);
    QTest::mouseClick(&second, Qt::LeftButton, {}, second.rect().center());
    QCOMPARE(fixture_->workbench().activeIndex(), 1);
    fixture_->workbench().setCompression(1, 5);
    QVERIFY(fixture_->settle());
    QCOMPARE(fixture_->pane(0).compression(), 24);
    QCOMPARE(fixture_->pane(1).compression(), 5);
  }

 private:
  /// No value of the pane's sweep costs more nearly what the first pane costs.
  bool nearest(int index) {
    const SweepPtr sweep = fixture_->workbench().sweeper().sweep(index);
    if (fixture_->pane(0).busy() || fixture_->pane(index).busy() || sweep == nullptr ||
        !sweep->complete) {
      return false;
    }
    const double target = fixture_->pane(0).inspection()->result.flops.paper;
    const double own = std::abs(fixture_->pane(index).inspection()->result.flops.paper - target);
    for (const SweepPoint& point : sweep->points) {
      if (std::abs(point.flops.paper - target) < own - 1e-9) return false;
    }
    return true;
  }

  std::unique_ptr<WindowFixture> fixture_;
};

ADAMERGE_UI_TEST(CompareTest)

}  // namespace adamerge::ui::test

#include "compare_test.moc"
