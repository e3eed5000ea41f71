// SPDX-License-Identifier: GPL-3.0-or-later
// The prediction over the slider's range: axes, markers, the slider's place, clicks.
#include <qcustomplot.h>

#include <QSignalSpy>
#include <QtTest>

#include "plot_fixture.h"
#include "plots/sweep_plot.h"
#include "sample_inspection.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

MethodChoice adaMergeAt(std::int64_t r_max) { return choiceOf("adamerge", {{"r_max", r_max}}); }

class SweepTest : public QObject {
  Q_OBJECT
 private slots:
  void pointsAndMarkers();
  void axesFollowTheChoice();
  void sliderIsMarked();
  void progressIsTold();
  void emptyUntilThereIsASweep();
  void clickChoosesTheNearestValue();
  void clickIsOfThePointThatWasThere();
  void clickOnAnotherPanesPointIsThatPanes();
};

void SweepTest::pointsAndMarkers() {
  const PlotContent content = sweepContent({sweptResult(0, adaMergeAt(16))}, SweepAxis::kValue);
  const auto& points = seriesOf(content, "probability of the top class", 0).points;
  QCOMPARE(points.size(), std::size_t{4});
  QCOMPARE(points[2].x, 20.0);
  QCOMPARE(points[2].y, 0.3);
  QVERIFY(points[2].hollow);
  QVERIFY(!points[1].hollow && !points[3].hollow);
  QCOMPARE(valuesOf(seriesOf(content, "logit cosine", 0)),
           (std::vector<double>{1.0, 0.95, 0.8, 0.75}));
  QVERIFY(content.note.contains("Hollow"));
  QCOMPARE(content.x.label, "r_max");
}

void SweepTest::axesFollowTheChoice() {
  const PaneResult pane = sweptResult(0, adaMergeAt(16));
  const auto at = [&](SweepAxis axis) {
    return seriesOf(sweepContent({pane}, axis), "probability of the top class", 0).points[1].x;
  };
  QCOMPARE(at(SweepAxis::kValue), 10.0);
  QCOMPARE(at(SweepAxis::kFlops), pane.unmerged * 0.8);
  QCOMPARE(at(SweepAxis::kPercent), 80.0);
}

void SweepTest::sliderIsMarked() {
  const PaneResult between = sweptResult(0, adaMergeAt(16));
  QCOMPARE(sweepContent({between}, SweepAxis::kValue).guides.at(0).x, 16.0);
  // No point has 16, so the picture's own FLOPs are taken.
  QCOMPARE(sweepContent({between}, SweepAxis::kFlops).guides.at(0).x,
           between.inspection->result.flops.paper);
  QCOMPARE(sweepContent({sweptResult(0, adaMergeAt(10))}, SweepAxis::kPercent).guides.at(0).x,
           80.0);
}

void SweepTest::progressIsTold() {
  const PlotContent content = sweepContent({sweptResult(0, adaMergeAt(16))}, SweepAxis::kValue);
  QVERIFY(content.note.contains("4 of 31"));
}

void SweepTest::emptyUntilThereIsASweep() {
  QVERIFY(sweepContent({resultOf(0, adaMergeAt(16))}, SweepAxis::kValue).isEmpty());
  PaneResult stale = sweptResult(0, adaMergeAt(16));
  stale.choice = choiceOf("tome");
  QVERIFY(sweepContent({stale}, SweepAxis::kValue).isEmpty());
  stale.choice = choiceOf("none");
  QVERIFY(sweepContent({stale}, SweepAxis::kValue).isEmpty());
}

void SweepTest::clickChoosesTheNearestValue() {
  SweepPlot plot;
  plot.resize(500, 320);
  plot.show();
  plot.setResults({sweptResult(0, adaMergeAt(16))}, 0);
  QCustomPlot& drawn = plot.plot();
  QSignalSpy spy(&plot, &SweepPlot::valueChosen);
  const int x = qRound(drawn.xAxis->coordToPixel(19.2));
  QTest::mouseClick(&drawn, Qt::LeftButton, {}, {x, drawn.axisRect()->center().y()});
  QTRY_COMPARE(spy.size(), 1);
  QCOMPARE(spy.at(0), (QList<QVariant>{0, 20}));
  // A double click shows all of it, and moves nothing.
  QTest::mouseDClick(&drawn, Qt::LeftButton, {}, {x, drawn.axisRect()->center().y()});
  QTest::mouseRelease(&drawn, Qt::LeftButton, {}, {x, drawn.axisRect()->center().y()});
  QTest::qWait(QApplication::doubleClickInterval() + 100);
  QCOMPARE(spy.size(), 1);
}

void SweepTest::clickIsOfThePointThatWasThere() {
  SweepPlot plot;
  plot.resize(500, 320);
  plot.show();
  const PaneResult whole = sweptResult(0, adaMergeAt(16));
  PaneResult early = whole;
  auto begun = std::make_shared<Sweep>(*whole.sweep);
  begun->points.erase(begun->points.begin() + 1);
  early.sweep = begun;
  plot.setResults({early}, 0);
  QCustomPlot& drawn = plot.plot();
  QSignalSpy spy(&plot, &SweepPlot::valueChosen);
  const int x = qRound(drawn.xAxis->coordToPixel(20));
  QTest::mouseClick(&drawn, Qt::LeftButton, {}, {x, drawn.axisRect()->center().y()});
  plot.setResults({whole}, 0);  // while the click may still become a double click
  QTRY_COMPARE(spy.size(), 1);
  QCOMPARE(spy.at(0), (QList<QVariant>{0, 20}));
}

void SweepTest::clickOnAnotherPanesPointIsThatPanes() {
  SweepPlot plot;
  plot.resize(600, 400);
  plot.show();
  const MethodChoice tome = choiceOf("tome", {{"r", std::int64_t{4}}});
  PaneResult second = sweptResult(1, tome);
  auto lower = std::make_shared<Sweep>(*second.sweep);
  for (SweepPoint& point : lower->points) point.top_probability -= 0.25;
  second.sweep = lower;
  plot.setResults({sweptResult(0, adaMergeAt(16)), second}, 0);
  QCustomPlot& drawn = plot.plot();
  QSignalSpy spy(&plot, &SweepPlot::valueChosen);
  const auto click = [&](double x, double y) {
    const QPointF at(drawn.xAxis->coordToPixel(x), drawn.yAxis->coordToPixel(y));
    QTest::mouseClick(&drawn, Qt::LeftButton, {}, at.toPoint());
  };
  click(10, 0.45);  // on the second pane's point
  QTRY_COMPARE(spy.size(), 1);
  QCOMPARE(spy.last(), (QList<QVariant>{1, 10}));
  click(10, 0.12);  // near no point: the active pane's
  QTRY_COMPARE(spy.size(), 2);
  QCOMPARE(spy.last(), (QList<QVariant>{0, 10}));
}

}  // namespace

ADAMERGE_UI_TEST(SweepTest)

}  // namespace adamerge::ui::test

#include "sweep_test.moc"
