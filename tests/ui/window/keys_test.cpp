// SPDX-License-Identifier: GPL-3.0-or-later
// Keys in the real window: each does what its place promises, and none is taken from the widget
// that has the focus.
#include <qcustomplot.h>

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QListView>
#include <QSlider>
#include <QtTest>

#include "bench/overlay_table.h"
#include "canvas/lineage_panel.h"
#include "plots/plot_panel.h"
#include "sources/image_list.h"
#include "ui_test.h"
#include "window/actions.h"
#include "window/docks.h"
#include "window/stage.h"
#include "window_fixture.h"

namespace adamerge::ui::test {

class KeysTest : public QObject {
  Q_OBJECT

 private slots:
  void init() {
    fixture_ = std::make_unique<WindowFixture>(freshAdaMerge(8));
    QVERIFY(fixture_->settle());
    fixture_->window().activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&fixture_->window()));
  }
  void cleanup() { fixture_.reset(); }

  void plotZoomsFitsAndCopies() {
    PlotPanel& plot = *fixture_->window().docks().plots().front();
    plot.setFocus();
    QTRY_VERIFY(plot.hasFocus());
    const double whole = plot.plot().xAxis->range().size();
    QTest::keyClick(&plot, Qt::Key_Plus);
    QVERIFY(plot.plot().xAxis->range().size() < whole);
    QTest::keyClick(&plot, Qt::Key_Minus);
    QCOMPARE(plot.plot().xAxis->range().size(), whole);
    QTest::keyClick(&plot, Qt::Key_Plus);
    QTest::keyClick(&plot, Qt::Key_0);
    QCOMPARE(plot.plot().xAxis->range().size(), whole);
    QApplication::clipboard()->clear();
    QTest::keyClick(&plot, Qt::Key_C, Qt::ControlModifier);
    const QSize copied = QApplication::clipboard()->image().size();
    QCOMPARE(copied, (QSizeF(plot.plot().size()) * plot.devicePixelRatioF()).toSize());
  }

  void escapeLeavesTheReadoutBeforeTheGroup() {
    PlotPanel& plot = *fixture_->window().docks().plots().front();
    fixture_->workbench().view().select(95);
    plot.setFocus();
    QTRY_VERIFY(plot.hasFocus());
    QTest::keyClick(&plot, Qt::Key_Right);
    QVERIFY(!plot.readout().isEmpty());
    QTest::keyClick(&plot, Qt::Key_Escape);
    QVERIFY(plot.readout().isEmpty());
    QCOMPARE(fixture_->workbench().view().selectedPatch(), std::optional<int>(95));
    QTest::keyClick(&plot, Qt::Key_Escape);
    QCOMPARE(fixture_->workbench().view().selectedPatch(), std::optional<int>());
  }

  void escapeClosesTheMessage() {
    fixture_->workbench().failed("something went wrong");
    QVERIFY2(fixture_->message().contains("something went wrong"), qPrintable(fixture_->message()));
    canvas().setFocus();
    QTest::keyClick(&canvas(), Qt::Key_Escape);
    QVERIFY(fixture_->message().isEmpty());
  }

  void lineageScrollsByPagesAndIsChosenByReturn() {
    MethodChoice choice = fixture_->pane().choice();
    choice.settings["r_max"] = std::int64_t{100};
    fixture_->workbench().edit(0, choice, "test");
    QVERIFY(fixture_->settle());
    auto& lineage = *fixture_->window().findChild<LineagePanel*>();
    const InspectionPtr shown = fixture_->pane().inspection();
    int patch = 0;
    std::size_t most = 0;
    for (int other = 0; other < shown->gridWidth() * shown->gridHeight(); ++other) {
      const auto size = shown->groupOf(other, shown->depth() - 1).size();
      if (size > most) {
        most = size;
        patch = other;
      }
    }
    fixture_->workbench().view().select(patch);
    auto* dock = qobject_cast<QDockWidget*>(lineage.parentWidget());
    dock->show();
    dock->raise();
    QTRY_VERIFY(lineage.verticalScrollBar()->maximum() > 0);
    lineage.setFocus();
    QTRY_VERIFY(lineage.hasFocus());
    lineage.verticalScrollBar()->setValue(0);
    QTest::keyClick(&lineage, Qt::Key_PageDown);
    QVERIFY(lineage.verticalScrollBar()->value() > 0);
    QTest::keyClick(&lineage, Qt::Key_Down);
    const auto hovered = fixture_->workbench().view().hoveredPatch();
    QVERIFY(hovered.has_value());
    QTest::keyClick(&lineage, Qt::Key_Return);
    QCOMPARE(fixture_->workbench().view().selectedPatch(), hovered);
    QTest::keyClick(&lineage, Qt::Key_Escape);
    QCOMPARE(fixture_->workbench().view().selectedPatch(), std::optional<int>());
  }

  void sliderKeepsItsPageKeys() {
    auto& slider = fixture_->find<QSlider>("compression");
    slider.setFocus();
    QTRY_VERIFY(slider.hasFocus());
    const int before = slider.value();
    QTest::keyClick(&slider, Qt::Key_PageUp);
    QVERIFY(slider.value() != before);
  }

  void lettersFindMethodsInTheList() {
    auto& box = fixture_->find<QComboBox>("method");
    box.setFocus();
    QTRY_VERIFY(box.hasFocus());
    const OverlayKind before = fixture_->workbench().view().overlay().kind;
    QTest::keyClick(&box, Qt::Key_D);
    QCOMPARE(static_cast<int>(fixture_->workbench().view().overlay().kind),
             static_cast<int>(before));
    QVERIFY2(box.currentText().startsWith('D'), qPrintable(box.currentText()));
  }

  void canvasZoomsFitsAndShowsTheModelsCrop() {
    focusCanvas();
    const double fitted = canvas().mapping().scale;
    QTest::keyClick(&canvas(), Qt::Key_1);
    QCOMPARE(canvas().mapping().scale * canvas().devicePixelRatioF(), 1.0);
    QTest::keyClick(&canvas(), Qt::Key_Plus);
    QCOMPARE(canvas().mapping().scale * canvas().devicePixelRatioF(), 1.25);
    QTest::keyClick(&canvas(), Qt::Key_Minus);
    QCOMPARE(canvas().mapping().scale * canvas().devicePixelRatioF(), 1.0);
    QTest::keyClick(&canvas(), Qt::Key_0);
    QCOMPARE(canvas().mapping().scale, fitted);
    QTest::keyClick(&canvas(), Qt::Key_1);
    QTest::keyClick(&canvas(), Qt::Key_2);
    const Rectangle crop = fixture_->pane().inspection()->prepared->crop;
    const QPointF corner = canvas().mapping().toWidget({crop.x, crop.y});
    const QPointF end = canvas().mapping().toWidget({crop.x + crop.width, crop.y + crop.height});
    QVERIFY(QRectF(canvas().rect()).contains(corner) && QRectF(canvas().rect()).contains(end));
  }

  void canvasStepsAndPlaysThroughTheBlocks() {
    focusCanvas();
    ViewState& view = fixture_->workbench().view();
    QCOMPARE(view.block(), 7);
    QTest::keyClick(&canvas(), Qt::Key_BracketLeft);
    QCOMPARE(view.block(), 6);
    QTest::keyClick(&canvas(), Qt::Key_BracketRight);
    QCOMPARE(view.block(), 7);
    QTest::keyClick(&canvas(), Qt::Key_P);
    QVERIFY(fixture_->window().actions().play_blocks->isChecked());
    QTRY_VERIFY(view.block() > 8 || view.block() < 7);
    QTest::keyClick(&canvas(), Qt::Key_P);
    QVERIFY(!fixture_->window().actions().play_blocks->isChecked());
  }

  void escapeOnTheCanvasLetsGoOfTheGroup() {
    focusCanvas();
    fixture_->workbench().view().select(95);
    QTest::keyClick(&canvas(), Qt::Key_Escape);
    QCOMPARE(fixture_->workbench().view().selectedPatch(), std::optional<int>());
  }

  void everyOverlayHasItsLetter() {
    focusCanvas();
    for (const OverlayInfo& overlay : overlays()) {
      QTest::keyClick(&canvas(), static_cast<Qt::Key>(overlay.key[0].key()));
      QCOMPARE(static_cast<int>(fixture_->workbench().view().overlay().kind),
               overlay.value == OverlayKind::kDifference
                   ? static_cast<int>(OverlayKind::kAttention)  // there is one canvas
                   : static_cast<int>(overlay.value));
    }
  }

  void lettersOnACanvasChooseTheOverlay() {
    canvas().setFocus();
    QTRY_VERIFY(canvas().hasFocus());
    QTest::keyClick(&canvas(), Qt::Key_S);
    QCOMPARE(static_cast<int>(fixture_->workbench().view().overlay().kind),
             static_cast<int>(OverlayKind::kSalience));
    QTest::keyClick(&canvas(), Qt::Key_G);
    QCOMPARE(static_cast<int>(fixture_->workbench().view().overlay().kind),
             static_cast<int>(OverlayKind::kGroups));
  }

  void pageKeysStepThroughTheFolderFromTheCanvas() {
    fixture_->dropPath(ADAMERGE_SAMPLES);
    QTRY_COMPARE(shownName(), QString("airplane.png"));
    canvas().setFocus();
    QTRY_VERIFY(canvas().hasFocus());
    QTest::keyClick(&canvas(), Qt::Key_PageDown);
    QTRY_COMPARE(shownName(), QString("automobile.png"));
  }

 private:
  void focusCanvas() {
    canvas().setFocus();
    QTRY_VERIFY(canvas().hasFocus());
  }
  CanvasView& canvas() { return fixture_->window().stage().grid().canvas(0); }
  QString shownName() { return fixture_->workbench().picture()->name; }

  std::unique_ptr<WindowFixture> fixture_;
};

ADAMERGE_UI_TEST(KeysTest)

}  // namespace adamerge::ui::test

#include "keys_test.moc"
