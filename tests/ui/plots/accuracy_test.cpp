// SPDX-License-Identifier: GPL-3.0-or-later
// Accuracy against cost: published numbers, relative axes, measured points, the present setting.
#include <qcustomplot.h>

#include <QCheckBox>
#include <QSignalSpy>
#include <QtTest>
#include <algorithm>

#include "adamerge/methods.h"
#include "bench/evaluation.h"
#include "look/theme.h"
#include "plot_fixture.h"
#include "plots/accuracy_plot.h"
#include "plots/plot_content.h"
#include "sample_inspection.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

AccuracyPoint measuredPoint(const std::string& method, const Settings& settings, double top1,
                            double flops, double speed) {
  AccuracyPoint point;
  point.method = method;
  point.settings = choiceOf(method, settings).settings;
  point.images = 1000;
  point.top1 = top1;
  point.top1_interval = Interval{top1 - 0.5, top1 + 0.4};
  point.agreement = top1 + 5;
  point.kl_divergence = method == "none" ? 0 : (90 - top1) / 100;
  point.flops = {flops, flops * 1.25};
  point.images_per_second = speed;
  return point;
}

AccuracyRecord record() {
  AccuracyRecord record;
  record.model = "small";
  record.dataset = "CIFAR-10 test";
  record.images = 1000;
  record.points = {measuredPoint("none", {}, 90, 1.0, 100),
                   measuredPoint("adamerge", {{"r_max", std::int64_t{16}}}, 89.25, 0.8, 110),
                   measuredPoint("adamerge", {{"r_max", std::int64_t{8}}}, 89.75, 0.9, 105)};
  return record;
}

const PlotSeries& named(const PlotContent& content, const char* name) {
  const auto found = std::find_if(content.series.begin(), content.series.end(),
                                  [&](const PlotSeries& series) { return series.name == name; });
  if (found == content.series.end()) throw std::runtime_error(name);
  return *found;
}

const OperatingPoint& published(const char* method, const char* key, std::int64_t value) {
  const auto& points = publishedPoints().points;
  const auto found = std::find_if(points.begin(), points.end(), [&](const OperatingPoint& point) {
    return point.method == method && point.settings.find(key)->second == SettingValue(value);
  });
  if (found == points.end()) throw std::runtime_error(method);
  return *found;
}

AccuracyInput inputFor(CostAxis cost, QualityAxis quality, bool measured) {
  AccuracyInput input;
  input.cost = cost;
  input.quality = quality;
  if (measured) input.measured = toOperatingPoints(record());
  return input;
}

class AccuracyTest : public QObject {
  Q_OBJECT
 private slots:
  void publishedTable();
  void relativeAxesOfPublishedPoints();
  void measuredAxes();
  void mapsAreAnAxis();
  void seriesAreNamedByWhatIsNoDefaultOfTheModel();
  void differencesHaveThePairedInterval();
  void clickChoosesTheSetting();
  void seriesAreToldApart();
  void axesWithoutPublishedNumbers();
  void presentSettingIsMarked();
  void pointsArriveLive();
  void settingsOfOneMethodAreSeriesOfTheirOwn();
  void publishedCanBeHidden();
  void notesTellWhatIsShown();
};

void AccuracyTest::publishedTable() {
  const OperatingPoints& all = publishedPoints();
  QCOMPARE(all.points.size(), std::size_t{25});
  QCOMPARE(*all.unmerged()->top1, 85.19);
  for (const char* method : {"adamerge", "tome", "pitome", "dsm"}) {
    QCOMPARE(std::count_if(all.points.begin(), all.points.end(),
                           [&](const OperatingPoint& point) { return point.method == method; }),
             6);
  }
  QCOMPARE(*published("adamerge", "r_max", 14).top1, 84.49);
  QCOMPARE(*published("pitome", "r", 8).top1, 83.74);
  QCOMPARE(*published("tome", "r", 8).speed_up, 1.31);
  QCOMPARE(std::get<std::int64_t>(published("dsm", "r", 16).settings.find("delay")->second), 5);
}

void AccuracyTest::relativeAxesOfPublishedPoints() {
  const OperatingPoint& unmerged = *publishedPoints().unmerged();
  const auto near = [](std::optional<double> value, double expected) {
    return value && std::abs(*value - expected) < 1e-3;
  };
  // 15.91 / 17.447 = 0.911905; 84.70 - 85.19 = -0.49.
  const OperatingPoint& mild = published("adamerge", "r_max", 9);
  QVERIFY(near(costOf(mild, unmerged, CostAxis::kPercent), 91.1905));
  QVERIFY(near(qualityOf(mild, unmerged, QualityAxis::kDifference), -0.49));
  // 13.44 / 17.447 = 0.770333; 82.46 - 85.19 = -2.73.
  const OperatingPoint& strong = published("tome", "r", 8);
  QVERIFY(near(costOf(strong, unmerged, CostAxis::kPercent), 77.0333));
  QVERIFY(near(qualityOf(strong, unmerged, QualityAxis::kDifference), -2.73));
  QVERIFY(near(costOf(strong, unmerged, CostAxis::kSpeedUp), 1.31));
  QVERIFY(near(costOf(unmerged, unmerged, CostAxis::kPercent), 100));
  QVERIFY(near(qualityOf(unmerged, unmerged, QualityAxis::kDifference), 0));
  QVERIFY(!costOf(strong, unmerged, CostAxis::kImagesPerSecond));
  QVERIFY(!costOf(strong, unmerged, CostAxis::kTotalFlops));
  QVERIFY(!qualityOf(strong, unmerged, QualityAxis::kAgreement));
}

void AccuracyTest::measuredAxes() {
  const PlotContent relative =
      accuracyContent(inputFor(CostAxis::kPercent, QualityAxis::kDifference, true));
  const auto& points = named(relative, "AdaMerge").points;
  QCOMPARE(points.size(), std::size_t{2});
  QCOMPARE(points[0].x, 80.0);
  QCOMPARE(points[0].y, -0.75);
  // A point's own interval says nothing of a difference on the same images.
  QVERIFY(!points[0].interval);
  QCOMPARE(points[1].x, 90.0);

  const auto first = [](CostAxis cost, QualityAxis quality) {
    return named(accuracyContent(inputFor(cost, quality, true)), "AdaMerge").points;
  };
  QCOMPARE(first(CostAxis::kPaperFlops, QualityAxis::kTop1)[0].x, 0.8);
  QCOMPARE(first(CostAxis::kPaperFlops, QualityAxis::kTop1)[0].y, 89.25);
  QCOMPARE(first(CostAxis::kTotalFlops, QualityAxis::kTop1)[0].x, 1.0);
  QCOMPARE(first(CostAxis::kImagesPerSecond, QualityAxis::kAgreement)[0].x, 105.0);
  QCOMPARE(first(CostAxis::kImagesPerSecond, QualityAxis::kAgreement)[0].y, 94.75);
  QCOMPARE(first(CostAxis::kPaperFlops, QualityAxis::kKl)[0].y, 0.0075);
  // Nobody published it, so no note speaks of hollow markers.
  const auto note = [](QualityAxis quality) {
    return accuracyContent(inputFor(CostAxis::kPaperFlops, quality, true)).note;
  };
  QVERIFY(note(QualityAxis::kTop1).contains("Hollow"));
  QVERIFY(!note(QualityAxis::kKl).contains("Hollow"));
  QCOMPARE(first(CostAxis::kSpeedUp, QualityAxis::kTop1)[1].x, 1.1);
}

void AccuracyTest::mapsAreAnAxis() {
  AccuracyRecord measured = record();
  AccuracyInput input = inputFor(CostAxis::kPaperFlops, QualityAxis::kPatchMiou, false);
  input.evaluated = toOperatingPoints(measured);
  QVERIFY2(accuracyContent(input).isEmpty(), "without a dense head there are no maps");
  const double shares[] = {1, 0.75, 0.875};
  for (std::size_t i = 0; i < measured.points.size(); ++i) {
    measured.points[i].maps = MapAgreement{0.9, shares[i], 0.95, shares[i] / 2};
  }
  measured.points.push_back(measuredPoint("tome", {{"r", std::int64_t{8}}}, 90, 0.7, 120));
  measured.points.back().maps = MapAgreement{0.9, 0.5, 0.95, 0.25};
  input.evaluated = toOperatingPoints(measured);
  // A curve for every method, ascending in cost.
  const PlotContent curves = accuracyContent(input);
  const auto& adamerge = named(curves, "AdaMerge").points;
  QCOMPARE(adamerge.size(), std::size_t{2});
  QCOMPARE(adamerge[0].x, 0.8);
  QCOMPARE(adamerge[0].y, 75.0);
  QCOMPARE(adamerge[1].y, 87.5);
  QCOMPARE(named(curves, "ToMe").points.front().y, 50.0);
  QCOMPARE(curves.y.label, QString("mIoU of patches with the unmerged map (%)"));
  input.quality = QualityAxis::kPixelMiou;
  QCOMPARE(named(accuracyContent(input), "AdaMerge").points[1].y, 43.75);
}

void AccuracyTest::seriesAreNamedByWhatIsNoDefaultOfTheModel() {
  const auto windowed = std::make_shared<LoadedModel>(*inspectSample()->model);
  windowed->info.vit.windows.sides.assign(static_cast<std::size_t>(windowed->info.vit.depth), 7);
  const auto inspection = std::make_shared<Inspection>(*inspectSample());
  inspection->model = windowed;
  const VitConfig& vit = windowed->info.vit;
  AccuracyRecord measured = record();
  measured.points.resize(1);
  MethodChoice tome{"tome", {{"ratio", std::int64_t{30}}}, nullptr, false};
  for (const bool proportional : {false, true}) {
    tome.settings["proportional_attention"] = proportional;
    AccuracyPoint point = measuredPoint("tome", {}, 90, 0.8, 100);
    point.settings = completeSettings(tome, vit);
    measured.points.push_back(point);
  }
  AccuracyInput input = inputFor(CostAxis::kPaperFlops, QualityAxis::kAgreement, false);
  input.evaluated = toOperatingPoints(measured);
  input.panes = {PaneResult{0, {}, inspection, nullptr, {}, 1}};
  const PlotContent content = accuracyContent(input);
  QCOMPARE(named(content, "ToMe").points.size(), std::size_t{1});
  QCOMPARE(named(content, "ToMe, Proportional attention on").points.size(), std::size_t{1});
}

void AccuracyTest::differencesHaveThePairedInterval() {
  // By hand from Agresti and Min (2005), Eq. 2.3, with 0.5 added to each of four cells.
  const Interval paired = pairedDifference(10, 20, 100);
  QVERIFY(std::abs(paired.low - -20.332031875551202) < 1e-9);
  QVERIFY(std::abs(paired.high - 0.7241887382962997) < 1e-9);
  const Interval none = pairedDifference(0, 0, 500);
  QVERIFY(std::abs(none.high - 0.3904310726175407) < 1e-9);
  QCOMPARE(none.low, -none.high);

  AccuracyPlot plot;
  plot.setAxes(CostAxis::kPercent, QualityAxis::kDifference);
  plot.setEvaluated(record(), {std::nullopt, Interval{-1.6, 0.1}, Interval{-0.9, 0.4}});
  const auto& points = named(plot.content(), "AdaMerge").points;
  QCOMPARE(points[0].interval->low, -1.6);
  QCOMPARE(points[1].interval->high, 0.4);
  QVERIFY(!named(plot.content(), "Unmerged").points[0].interval);
}

void AccuracyTest::clickChoosesTheSetting() {
  AccuracyPlot plot;
  plot.resize(640, 420);
  plot.show();
  plot.setMeasured(record());
  plot.setAxes(CostAxis::kPercent, QualityAxis::kTop1);
  plot.setPublishedShown(false);
  QCustomPlot& drawn = plot.plot();
  QSignalSpy chosen(&plot, &AccuracyPlot::settingChosen);
  const QPointF at(drawn.xAxis->coordToPixel(80), drawn.yAxis->coordToPixel(89.25));
  QTest::mouseClick(&drawn, Qt::LeftButton, {}, at.toPoint());
  QTRY_COMPARE(chosen.size(), 1);
  const auto choice = chosen[0][0].value<MethodChoice>();
  QCOMPARE(choice.method, std::string("adamerge"));
  QCOMPARE(std::get<std::int64_t>(choice.settings.at("r_max")), 16);
}

void AccuracyTest::seriesAreToldApart() {
  const PlotContent content =
      accuracyContent(inputFor(CostAxis::kPercent, QualityAxis::kDifference, true));
  const PlotSeries& own = named(content, "AdaMerge");
  const PlotSeries& reference = named(content, "AdaMerge, published");
  QCOMPARE(own.color, reference.color);
  QCOMPARE(own.marker, reference.marker);
  QVERIFY(!own.points[0].hollow && reference.points[0].hollow);
  QCOMPARE(own.legend, "AdaMerge");
  QVERIFY(reference.legend.isEmpty());
  QSet<int> markers;
  QSet<QRgb> colors;
  for (const MethodInfo& method : methods()) {
    // There are fewer shapes than methods: those of one shape stand apart in the list.
    const int marker = static_cast<int>(methodMarker(method.id));
    QVERIFY2(markers.size() == 7 || !markers.contains(marker), method.id.c_str());
    markers.insert(marker);
    colors.insert(paperColor(method.id).rgb());
  }
  QCOMPARE(markers.size(), 7);
  QCOMPARE(colors.size(), static_cast<qsizetype>(methods().size()));
}

void AccuracyTest::axesWithoutPublishedNumbers() {
  const PlotContent none =
      accuracyContent(inputFor(CostAxis::kImagesPerSecond, QualityAxis::kTop1, false));
  QVERIFY(none.isEmpty());
  QVERIFY(none.empty_text.contains("results.json"));
  QVERIFY(
      !accuracyContent(inputFor(CostAxis::kImagesPerSecond, QualityAxis::kTop1, true)).isEmpty());
}

void AccuracyTest::presentSettingIsMarked() {
  AccuracyInput input = inputFor(CostAxis::kPercent, QualityAxis::kDifference, true);
  const PaneResult pane = resultOf(0, choiceOf("adamerge", {{"r_max", std::int64_t{16}}}));
  input.panes = {pane};
  const PlotContent content = accuracyContent(input);
  QCOMPARE(content.guides.size(), std::size_t{1});
  QCOMPARE(content.guides[0].x, 100 * pane.inspection->result.flops.paper / pane.unmerged);
  QCOMPARE(content.guides[0].color, paperColor("adamerge"));
  const auto& ring = named(content, "Present setting").points;
  QCOMPARE(ring.size(), std::size_t{1});
  QCOMPARE(ring[0].x, 80.0);
  QCOMPARE(ring[0].y, -0.75);
  input.cost = CostAxis::kSpeedUp;
  QVERIFY(accuracyContent(input).guides.empty());
}

void AccuracyTest::pointsArriveLive() {
  AccuracyPlot plot;
  plot.setMeasured(record());
  const auto count = [&plot](const QString& name) {
    qsizetype points = 0;
    for (const PlotSeries& series : plot.content().series) {
      if (series.name == name) points += static_cast<qsizetype>(series.points.size());
    }
    return points;
  };
  QCOMPARE(count("AdaMerge"), 2);
  AccuracyRecord now = record();
  now.dataset = "my pictures";
  now.images = 40;
  now.points.pop_back();
  plot.setEvaluated(now);
  QCOMPARE(count("AdaMerge"), 1);
  QVERIFY2(plot.content().note.startsWith("Filled: small on my pictures, 40 images."),
           qPrintable(plot.content().note));
  // The record comes back beside it, fainter.
  const auto boxes = plot.findChildren<QCheckBox*>();
  const auto box = std::find_if(boxes.begin(), boxes.end(),
                                [](const QCheckBox* one) { return one->text() == "&Record"; });
  QVERIFY(box != boxes.end() && !(*box)->isHidden());
  (*box)->setChecked(true);
  QCOMPARE(count("AdaMerge"), 1);
  QCOMPARE(count("AdaMerge, recorded"), 2);
  QVERIFY(named(plot.content(), "AdaMerge, recorded").faint);
  QVERIFY(!named(plot.content(), "AdaMerge").faint);
  plot.setEvaluated(std::nullopt);
  QVERIFY((*box)->isHidden());
  QCOMPARE(count("AdaMerge"), 2);
}

void AccuracyTest::settingsOfOneMethodAreSeriesOfTheirOwn() {
  AccuracyPlot plot;
  AccuracyRecord both = record();
  both.points.push_back(measuredPoint(
      "adamerge", {{"r_max", std::int64_t{16}}, {"partition", std::string("alternating")}}, 89.5,
      0.85, 110));
  plot.setEvaluated(both);
  QCOMPARE(named(plot.content(), "AdaMerge").points.size(), std::size_t{2});
  const PlotSeries& other = named(plot.content(), "AdaMerge, Partition alternating");
  QCOMPARE(other.points.size(), std::size_t{1});
  QVERIFY(other.variant != named(plot.content(), "AdaMerge").variant);
  QCOMPARE(other.legend, other.name);
}

void AccuracyTest::publishedCanBeHidden() {
  AccuracyPlot plot;
  plot.setMeasured(record());
  const auto published = [&plot] {
    const auto& series = plot.content().series;
    return std::count_if(series.begin(), series.end(),
                         [](const PlotSeries& one) { return one.faint; });
  };
  QCOMPARE(published(), 5);
  QSignalSpy spy(&plot, &AccuracyPlot::axesChanged);
  plot.setPublishedShown(false);
  QCOMPARE(published(), 0);
  QCOMPARE(spy.size(), 1);
  plot.setAxes(CostAxis::kTotalFlops, QualityAxis::kAgreement);
  QCOMPARE(plot.cost(), CostAxis::kTotalFlops);
  QCOMPARE(plot.content().y.label, "Agreement (%)");
}

void AccuracyTest::notesTellWhatIsShown() {
  AccuracyInput input = inputFor(CostAxis::kPercent, QualityAxis::kDifference, false);
  QVERIFY(accuracyContent(input).note.startsWith("No measured points for this model yet."));
  input.problem = "results.json: broken.";
  QVERIFY(accuracyContent(input).note.startsWith("results.json: broken."));
  input = inputFor(CostAxis::kPercent, QualityAxis::kDifference, true);
  QVERIFY(accuracyContent(input).note.contains("small on CIFAR-10 test"));
  QVERIFY(accuracyContent(input).note.contains("2605.27465"));
}

}  // namespace

ADAMERGE_UI_TEST(AccuracyTest)

}  // namespace adamerge::ui::test

#include "accuracy_test.moc"
