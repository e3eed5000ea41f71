// SPDX-License-Identifier: GPL-3.0-or-later
// Zooming and panning of plots by mouse.
#include <QSignalSpy>

#include "shown_plot.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

class ZoomTest : public QObject {
  Q_OBJECT
 private slots:
  void wheelZoomsAndDoubleClickFits();
  void rectanglesZoom();
  void dragPans();
  void zoomSurvivesNewData();
};

void ZoomTest::wheelZoomsAndDoubleClickFits() {
  ShownPlot shown;
  const QCPRange all = shown.plot().xAxis->range();
  const QPoint place = shown.at(6, 0.5);
  QWheelEvent wheel(place, shown.plot().mapToGlobal(place), {}, {0, 120}, Qt::NoButton,
                    Qt::NoModifier, Qt::NoScrollPhase, false);
  QApplication::sendEvent(&shown.plot(), &wheel);
  QVERIFY(shown.plot().xAxis->range().size() < all.size() * 0.95);
  QTest::mouseDClick(&shown.plot(), Qt::LeftButton, {}, place);
  QCOMPARE(shown.plot().xAxis->range().lower, all.lower);
  QCOMPARE(shown.plot().xAxis->range().upper, all.upper);
}

void ZoomTest::rectanglesZoom() {
  for (const bool right : {false, true}) {
    ShownPlot shown;
    const QPoint from = shown.at(4, 0.2);
    const QPoint to = shown.at(8, 0.8);
    shown.drag(from, to, right ? Qt::RightButton : Qt::LeftButton,
               right ? Qt::NoModifier : Qt::ShiftModifier);
    QVERIFY(std::abs(shown.plot().xAxis->range().lower - 4) < 0.1);
    QVERIFY(std::abs(shown.plot().xAxis->range().upper - 8) < 0.1);
    QVERIFY(QApplication::activePopupWidget() == nullptr);
  }
}

void ZoomTest::dragPans() {
  ShownPlot shown;
  const QCPRange before = shown.plot().xAxis->range();
  QSignalSpy spy(&shown.panel, &TokensPlot::blockChosen);
  shown.drag(shown.at(8, 0.5), shown.at(6, 0.5), Qt::LeftButton);
  QVERIFY(std::abs(shown.plot().xAxis->range().lower - before.lower - 2) < 0.1);
  QVERIFY(std::abs(shown.plot().xAxis->range().size() - before.size()) < 1e-9);
  QCOMPARE(spy.size(), 0);
}

void ZoomTest::zoomSurvivesNewData() {
  ShownPlot shown;
  shown.panel.zoom(2);
  const QCPRange zoomed = shown.plot().xAxis->range();
  shown.panel.setResults({sample()}, 0, 6, std::nullopt);
  QCOMPARE(shown.plot().xAxis->range().lower, zoomed.lower);
  shown.panel.fit();
  QVERIFY(shown.plot().xAxis->range().size() > zoomed.size());
}

}  // namespace

ADAMERGE_UI_TEST(ZoomTest)

}  // namespace adamerge::ui::test

#include "zoom_test.moc"
