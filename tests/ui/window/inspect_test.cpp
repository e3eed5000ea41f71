// SPDX-License-Identifier: GPL-3.0-or-later
// One canvas: what it draws and how it is worked with.
#include <qcustomplot.h>

#include <QComboBox>
#include <QDockWidget>
#include <QLabel>
#include <QSignalSpy>
#include <QSlider>
#include <QSpinBox>
#include <QTabBar>
#include <QtTest>

#include "adamerge/figures.h"
#include "canvas/block_strip.h"
#include "look/widgets.h"
#include "plots/plot_panel.h"
#include "ui_test.h"
#include "window/actions.h"
#include "window/stage.h"
#include "window_fixture.h"

namespace adamerge::ui::test {
namespace {

int difference(const QColor& a, const std::array<std::uint8_t, 3>& b) {
  return std::max(
      {std::abs(a.red() - b[0]), std::abs(a.green() - b[1]), std::abs(a.blue() - b[2])});
}

}  // namespace

class InspectTest : public QObject {
  Q_OBJECT

 private slots:
  void init() {
    fixture_ = std::make_unique<WindowFixture>(freshAdaMerge(8));
    QVERIFY(fixture_->settle());
  }
  void cleanup() { fixture_.reset(); }

  void opensAsTheCommandLineAsks() {
    QCOMPARE(fixture_->pane().choice().method, "adamerge");
    QCOMPARE(fixture_->pane().compression(), 28);
    QCOMPARE(fixture_->workbench().view().block(), 7);
    QVERIFY(fixture_->window().windowTitle().contains("bird.png"));
  }

  void drawsTheCoresGroups() {
    OverlayStyle style;
    style.kind = OverlayKind::kGroups;
    style.groups = GroupStyle::kFill;
    style.opacity = 1;
    fixture_->workbench().view().setOverlay(style);
    CanvasView& canvas = fixture_->window().stage().grid().canvas(0);
    canvas.setCaptionVisible(false);
    const InspectionPtr shown = fixture_->pane().inspection();
    const std::vector<int>& groups = shown->result.layers[7].groups;
    const auto colors =
        groupColors(shown->prepared->view, shown->gridHeight(), shown->gridWidth(), groups);
    const QImage picture = canvas.grab().toImage();
    for (int patch = 0; patch < static_cast<int>(groups.size()); ++patch) {
      const QPointF place = canvas.mapping().toWidget(shown->patchRect(patch).center());
      const QColor color = picture.pixelColor((place * picture.devicePixelRatio()).toPoint());
      QVERIFY2(difference(color, colors[static_cast<std::size_t>(patch)]) <= 2,
               qPrintable(QString("patch %1 is %2").arg(patch).arg(color.name())));
    }
  }

  void whatIsHiddenIsNotDrawn() {
    auto& front = fixture_->find<PlotPanel>("tokens");
    auto& behind = fixture_->find<PlotPanel>("redundancy");
    QVERIFY(isSeen(front));
    // For Qt it is visible: it lies outside the window.
    QVERIFY(behind.isVisible() && !isSeen(behind));
    QTest::qWait(100);
    QSignalSpy front_drawn(front.findChild<QCustomPlot*>(), &QCustomPlot::afterReplot);
    QSignalSpy behind_drawn(behind.findChild<QCustomPlot*>(), &QCustomPlot::afterReplot);
    fixture_->workbench().setCompression(0, 20);
    QVERIFY(fixture_->settle());
    QTRY_VERIFY(front_drawn.count() > 0);
    QTest::qWait(100);
    QCOMPARE(behind_drawn.count(), 0);
    fixture_->find<QDockWidget>("redundancy").raise();
    QTRY_VERIFY(behind_drawn.count() > 0);
    QVERIFY(isSeen(behind) && !isSeen(front));
  }

  /// What stands beside a fitted picture, and the window, take and give it room.
  void zoomIsToldAsItIs() {
    CanvasView& canvas = fixture_->window().stage().grid().canvas(0);
    const auto told = [&] {
      const QString zoom = QString(", %1 %").arg(
          100 * canvas.mapping().scale * canvas.devicePixelRatioF(), 0, 'f', 0);
      return fixture_->find<ElidedLabel>("view").text().endsWith(zoom);
    };
    QTRY_VERIFY(told());
    const double before = canvas.mapping().scale;
    fixture_->window().resize(1100, 760);
    QTRY_VERIFY(canvas.mapping().scale != before);
    QTRY_VERIFY(told());
    fixture_->workbench().setPaneCount(4);
    QVERIFY(fixture_->settle());
    QTRY_VERIFY(told());
  }

  void panelsNamesFit() {
    fixture_->window().resize(1440, 900);
    QCoreApplication::processEvents();
    // With the sixth plot, which only some methods have.
    fixture_->find<QDockWidget>("tree").show();
    int bars = 0;
    for (const auto* bar : fixture_->window().findChildren<QTabBar*>(Qt::FindDirectChildrenOnly)) {
      if (!bar->isVisible()) continue;
      ++bars;
      QCOMPARE(bar->elideMode(), Qt::ElideNone);
      QTRY_VERIFY2(bar->tabRect(bar->count() - 1).right() < bar->width(),
                   qPrintable(bar->tabText(bar->count() - 1)));
    }
    QCOMPARE(bars, 2);
  }

  void sliderMovesThePicture() {
    auto& slider = fixture_->find<QSlider>("compression");
    slider.setFocus();
    const InspectionPtr before = fixture_->pane().inspection();
    for (int i = 0; i < 5; ++i) QTest::keyClick(&slider, Qt::Key_Right);
    QCOMPARE(fixture_->pane().compression(), 33);
    QVERIFY(fixture_->settle());
    const InspectionPtr after = fixture_->pane().inspection();
    QVERIFY(after != before);
    QCOMPARE(std::get<std::int64_t>(after->choice.settings.at("r_max")), 33);
    QVERIFY(after->result.flops.paper < before->result.flops.paper);
    const QString flops = fixture_->find<QLabel>("flops-after").text();
    QVERIFY2(flops.contains(QString::number(after->result.flops.paper, 'f', 3)), qPrintable(flops));
  }

  void numberUndoAndRedo() {
    auto& number = fixture_->find<QAbstractSpinBox>("compression-number");
    number.setFocus();
    number.selectAll();
    QTest::keyClicks(&number, "12");
    QTest::keyClick(&number, Qt::Key_Return);
    QCOMPARE(fixture_->pane().compression(), 12);
    fixture_->window().actions().undo->trigger();
    QCOMPARE(fixture_->pane().compression(), 28);
    fixture_->window().actions().redo->trigger();
    QCOMPARE(fixture_->pane().compression(), 12);
    QVERIFY(fixture_->settle());
    QCOMPARE(std::get<std::int64_t>(fixture_->pane().inspection()->choice.settings.at("r_max")),
             12);
  }

  void everyMethodOfTheRegistryCanBeChosen() {
    auto& box = fixture_->find<QComboBox>("method");
    QCOMPARE(box.count(), static_cast<int>(methods().size()));
    for (int row = 0; row < box.count(); ++row) {
      box.setFocus();
      box.setCurrentIndex(row);
      emit box.activated(row);
      QVERIFY(fixture_->settle());
      const InspectionPtr shown = fixture_->pane().inspection();
      QCOMPARE(shown->choice.method, methods()[static_cast<std::size_t>(row)].id);
      QVERIFY2(fixture_->message().isEmpty(), qPrintable(fixture_->message()));
    }
  }

  void keysAndStripChooseTheBlock() {
    Actions& actions = fixture_->window().actions();
    actions.block_next->trigger();
    QCOMPARE(fixture_->workbench().view().block(), 8);
    actions.block_previous->trigger();
    actions.block_previous->trigger();
    QCOMPARE(fixture_->workbench().view().block(), 6);
    BlockTiles& tiles = fixture_->window().stage().strip().tiles();
    QTest::mouseClick(&tiles, Qt::LeftButton, {}, tiles.tileRect(2).center());
    QCOMPARE(fixture_->workbench().view().block(), 2);
  }

  void clickHoldsTheGroupUntilEscape() {
    CanvasView& canvas = fixture_->window().stage().grid().canvas(0);
    const InspectionPtr shown = fixture_->pane().inspection();
    const QPointF place = canvas.mapping().toWidget(shown->patchRect(95).center());
    QTest::mouseClick(&canvas, Qt::LeftButton, {}, place.toPoint());
    QCOMPARE(fixture_->workbench().view().selectedPatch(), std::optional<int>(95));
    QTest::keyClick(&fixture_->window(), Qt::Key_Escape);
    fixture_->window().actions().let_go->trigger();
    QCOMPARE(fixture_->workbench().view().selectedPatch(), std::optional<int>());
  }

  void overlayKeys() {
    for (const OverlayKind kind :
         {OverlayKind::kSalience, OverlayKind::kAttention, OverlayKind::kSurvivors,
          OverlayKind::kNone, OverlayKind::kGroups}) {
      QAction* action = fixture_->window().actions().overlay(kind);
      action->trigger();
      QCOMPARE(static_cast<int>(fixture_->workbench().view().overlay().kind),
               static_cast<int>(kind));
      QVERIFY(action->isChecked());
    }
  }

 private:
  std::unique_ptr<WindowFixture> fixture_;
};

ADAMERGE_UI_TEST(InspectTest)

}  // namespace adamerge::ui::test

#include "inspect_test.moc"
