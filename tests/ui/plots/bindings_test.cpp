// SPDX-License-Identifier: GPL-3.0-or-later
// Plots connected to the controller: they follow it, and clicks in them change it.
#include <qcustomplot.h>

#include <QLabel>
#include <QtTest>
#include <fstream>

#include "bench/workbench.h"
#include "plots/accuracy_plot.h"
#include "plots/plot_bindings.h"
#include "plots/redundancy_plot.h"
#include "plots/sweep_plot.h"
#include "plots/tokens_plot.h"
#include "sample_inspection.h"
#include "temporary_folder.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

constexpr int kPlotPatience = 30'000;

const auto kModel = std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";

class BindingsTest : public QObject {
  Q_OBJECT
 private slots:
  void plotsFollowTheWorkbench();
  void clicksReachTheWorkbench();
  void resultsOfAModelAreRead();
  void unusableResultsAreExplained();

 private:
  static QString noteFor(const char* results);
};

bool start(Workbench& workbench) {
  workbench.models().load(kModel);
  if (!QTest::qWaitFor([&] { return workbench.model() != nullptr; }, kPlotPatience)) return false;
  workbench.edit(0, {"adamerge", {{"r_max", std::int64_t{16}}}, nullptr, false}, {});
  workbench.showPicture(samplePicture("ship"));
  return QTest::qWaitFor(
      [&] {
        const Pane& pane = workbench.activePane();
        return pane.inspection() != nullptr && !pane.busy();
      },
      kPlotPatience);
}

void BindingsTest::plotsFollowTheWorkbench() {
  Workbench workbench;
  TokensPlot tokens;
  RedundancyPlot redundancy;
  SweepPlot sweep;
  bindPlot(tokens, workbench);
  bindPlot(redundancy, workbench);
  bindPlot(sweep, workbench);
  QVERIFY(tokens.isEmpty() && redundancy.isEmpty() && sweep.isEmpty());
  QVERIFY(start(workbench));
  QVERIFY(!tokens.isEmpty());
  QVERIFY(!redundancy.isEmpty());
  workbench.view().setBlock(4);
  QCOMPARE(tokens.content().highlight->low, 4.5);
  QCOMPARE(redundancy.content().highlight->low, 4.5);
  QTRY_VERIFY_WITH_TIMEOUT(!sweep.isEmpty(), kPlotPatience);
  QCOMPARE(sweep.content().guides.at(0).x, 16.0);
  workbench.setPaneCount(2);
  QTRY_COMPARE_WITH_TIMEOUT(
      std::count_if(tokens.content().series.begin(), tokens.content().series.end(),
                    [](const PlotSeries& series) {
                      return series.quantity == "merged" && series.kind == SeriesKind::kBars;
                    }),
      2, kPlotPatience);
}

void BindingsTest::clicksReachTheWorkbench() {
  Workbench workbench;
  TokensPlot tokens;
  SweepPlot sweep;
  bindPlot(tokens, workbench);
  bindPlot(sweep, workbench);
  for (PlotPanel* panel : std::initializer_list<PlotPanel*>{&tokens, &sweep}) {
    panel->resize(500, 320);
    panel->show();
  }
  QVERIFY(start(workbench));
  QCustomPlot& bars = tokens.plot();
  const QPointF seventh(bars.xAxis->coordToPixel(7), bars.axisRect()->bottom() - 5.0);
  QTest::mouseClick(&bars, Qt::LeftButton, {}, seventh.toPoint());
  QCOMPARE(workbench.view().block(), 6);

  QTRY_VERIFY_WITH_TIMEOUT(!sweep.isEmpty(), kPlotPatience);
  QTRY_VERIFY_WITH_TIMEOUT(workbench.sweeper().sweep(0)->complete, kPlotPatience);
  sweep.content();  // what is on its way to the plot is in it now
  const SweepPoint point = workbench.sweeper().sweep(0)->points.back();
  QVERIFY(point.value != 16);
  QCustomPlot& curve = sweep.plot();
  const QPointF place(curve.xAxis->coordToPixel(point.value),
                      curve.yAxis->coordToPixel(point.top_probability));
  QTest::mouseClick(&curve, Qt::LeftButton, {}, place.toPoint());
  QTRY_COMPARE(workbench.pane(0).compression(), point.value);
}

/// The note of the plot for a copy of the bundled model with that results.json.
QString BindingsTest::noteFor(const char* results) {
  adamerge::test::TemporaryFolder folder;
  for (const char* name : {"model.safetensors", "config.json"}) {
    std::filesystem::create_symlink(std::filesystem::absolute(kModel / name), folder.path() / name);
  }
  std::ofstream(folder.path() / "results.json") << results;
  Workbench workbench;
  AccuracyPlot plot;
  bindPlot(plot, workbench);
  workbench.models().load(folder.path());
  const bool loaded = QTest::qWaitFor([&] { return workbench.model() != nullptr; }, kPlotPatience);
  return loaded ? plot.content().note : QStringLiteral("the model did not load");
}

void BindingsTest::resultsOfAModelAreRead() {
  const QString note = noteFor(R"({"model": "small", "dataset": "CIFAR-10 test", "images": 100,
      "points": [{"method": "none", "settings": {}, "top1": 90, "agreement": 100,
                  "flops_paper": 1, "flops_total": 1.1, "images_per_second": 5}]})");
  QVERIFY2(note.startsWith("Filled: small on CIFAR-10 test."), qPrintable(note));
}

void BindingsTest::unusableResultsAreExplained() {
  const QString note = noteFor(R"({"model": "small", "dataset": "CIFAR-10", "images": 100})");
  QVERIFY2(note.contains("results.json: not usable as measured accuracy"), qPrintable(note));
  QVERIFY(note.contains("points is missing"));
}

}  // namespace

ADAMERGE_UI_TEST(BindingsTest)

}  // namespace adamerge::ui::test

#include "bindings_test.moc"
