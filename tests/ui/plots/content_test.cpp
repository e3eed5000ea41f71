// SPDX-License-Identifier: GPL-3.0-or-later
// Tokens and redundancy: what is plotted equals what the core tells.
#include <qcustomplot.h>

#include <QtTest>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "plot_fixture.h"
#include "plots/change_plot.h"
#include "plots/counts_plot.h"
#include "plots/redundancy_plot.h"
#include "plots/series_painter.h"
#include "plots/tokens_plot.h"
#include "plots/tree_plot.h"
#include "sample_inspection.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

MethodChoice adaMerge(std::int64_t r_max) { return choiceOf("adamerge", {{"r_max", r_max}}); }
MethodChoice toMe(std::int64_t r) { return choiceOf("tome", {{"r", r}}); }

class ContentTest : public QObject {
  Q_OBJECT
 private slots:
  void tokensEqualTheTrace();
  void panesStandSideBySide();
  void panesOfOneMethodDiffer();
  void calibrationStandsBehind();
  void steeperResponseWidensTheBand();
  void countsThatFallWithDepthNarrowTheBand();
  void noCalibrationWithoutStatistics();
  void selectedGroupGrows();
  void chosenBlockIsMarked();
  void redundancyEqualsTheTrace();
  void bandIsInterpolated();
  void uncalibratedRedundancyHasNoBand();
  void otherMethodsHaveNoRedundancy();
  void treeIsThePlans();
  void treeOfOtherMethodsSaysWhy();
  void tableHoldsEveryPoint();
  void countsAreTheDistributions();
  void changeIsFromTheUnmergedRunOrFromTheOtherCanvas();
};

void ContentTest::changeIsFromTheUnmergedRunOrFromTheOtherCanvas() {
  PaneResult pane = resultOf(0, toMe(14));
  auto inspection = std::make_shared<Inspection>(*pane.inspection);
  inspection->change.assign(inspection->result.layers.size(), FeatureChange{{}, 0.25, 0.5});
  pane.inspection = inspection;
  const PlotContent own = changeContent({pane}, 0);
  QCOMPARE(seriesOf(own, "mean change", 0).points[3].y, 0.25);
  QCOMPARE(seriesOf(own, "worst tenth", 0).points[3].y, 0.5);
  QVERIFY(own.y.label.startsWith("Change"));

  auto lens = std::make_shared<LensShown>();
  lens->inspection = inspection;
  lens->kind = OverlayKind::kChange;
  lens->query.kind = LensKind::kChange;
  lens->query.from_other = true;
  auto pictures = std::make_shared<LensPictures>();
  pictures->blocks.resize(inspection->change.size());
  lens->pictures = pictures;
  lens->problems.resize(pictures->blocks.size());
  pane.lens = lens;
  // Not yet of every block.
  QVERIFY(changeContent({pane}, 0).y.label.startsWith("Change"));
  for (LensMap& map : pictures->blocks) map.values = {0, 0.1F, 0.2F, 0.3F, 0.4F};
  const PlotContent other = changeContent({pane}, 0);
  QVERIFY(other.y.label.startsWith("From the other canvas"));
  QVERIFY(std::abs(seriesOf(other, "mean change", 0).points[3].y - 0.2) < 1e-6);
  QVERIFY(std::abs(seriesOf(other, "worst tenth", 0).points[3].y - 0.36) < 1e-6);
}

void ContentTest::countsAreTheDistributions() {
  QVERIFY(countsContent({}, 0).isEmpty());
  CountsFigure counts;
  counts.note = "9 images";
  Distribution spread;
  spread.spread.minimum = 1;
  spread.spread.lower_quartile = 2;
  spread.spread.median = 3.5;
  spread.spread.upper_quartile = 5;
  spread.spread.maximum = 9;
  spread.mean = 3.9;
  const Distribution alike{{8, 8, 8, 8, 8}, 8};
  counts.settings = {{"adamerge", "AdaMerge, r_max 16", "", {spread, alike}},
                     {"tome", "ToMe, r 8", "", {alike, alike}},
                     {"adamerge", "AdaMerge, r_max 8", "", {spread, spread}}};
  const PlotContent content = countsContent(counts, 1);
  QCOMPARE(content.series.size(), std::size_t{3});
  const PlotSeries& first = content.series[0];
  QCOMPARE(first.kind, SeriesKind::kBoxes);
  const PlotPoint& point = first.points[0];
  QCOMPARE(point.y, 3.5);
  QCOMPARE(point.interval->low, 1.0);
  QCOMPARE(point.interval->high, 9.0);
  QCOMPARE(point.box->quartiles.low, 2.0);
  QCOMPARE(point.box->quartiles.high, 5.0);
  QCOMPARE(point.text,
           "AdaMerge, r_max 16: median 3.5, mean 3.9,\nhalf of the images 2 to 5, all 1 to 9");
  QCOMPARE(first.points[1].text, "AdaMerge, r_max 16: 8 of every image");
  QCOMPARE(first.points[1].key, 1);
  // One block's boxes stand side by side, two of one method differ.
  QVERIFY(first.bar_offset + first.bar_width / 2 < content.series[1].bar_offset);
  QVERIFY(content.series[2].bar_offset + content.series[2].bar_width / 2 < 0.5);
  QVERIFY(content.series[0].variant != content.series[2].variant);
  QCOMPARE(content.highlight->low, 1.5);
  // As it is drawn.
  QCustomPlot plot;
  const SeriesParts parts = paintSeries(plot, first, paperTheme(false, false, 7));
  const auto* boxes = qobject_cast<QCPStatisticalBox*>(parts.plottables.front());
  QVERIFY(boxes != nullptr);
  QCOMPARE(boxes->data()->size(), 2);
  QCOMPARE(boxes->data()->constBegin()->median, 3.5);
}

void ContentTest::tokensEqualTheTrace() {
  const PaneResult pane = resultOf(0, adaMerge(16));
  const PlotContent content = tokensContent({pane}, 0, 0, std::nullopt);
  const auto& left = seriesOf(content, "tokens left", 0).points;
  const auto& merged = seriesOf(content, "merged", 0).points;
  const auto& layers = pane.inspection->result.layers;
  QCOMPARE(left.size(), layers.size());
  QCOMPARE(merged.size(), layers.size());
  for (std::size_t block = 0; block < layers.size(); ++block) {
    QCOMPARE(left[block].x, static_cast<double>(block) + 1);
    QCOMPARE(left[block].y, static_cast<double>(layers[block].tokens_out));
    QCOMPARE(left[block].key, static_cast<int>(block));
    QCOMPARE(merged[block].y, static_cast<double>(layers[block].merged));
  }
  QCOMPARE(left[5].title, "Block 6 of 12");
  QCOMPARE(content.x.label, "Block");
}

void ContentTest::panesStandSideBySide() {
  const PlotContent content =
      tokensContent({resultOf(0, adaMerge(16)), resultOf(1, toMe(4))}, 0, 0, std::nullopt);
  const PlotSeries& first = seriesOf(content, "merged", 0);
  const PlotSeries& second = seriesOf(content, "merged", 1);
  QCOMPARE(first.color, paperColor("adamerge"));
  QCOMPARE(second.color, paperColor("tome"));
  QVERIFY(first.color != second.color);
  QVERIFY(second.bar_offset - first.bar_offset >= first.bar_width * 0.999);
  QVERIFY(first.bar_offset - first.bar_width / 2 >= -0.5);
  QVERIFY(second.bar_offset + second.bar_width / 2 <= 0.5);
  QCOMPARE(seriesOf(content, "tokens left", 0).legend, "AdaMerge, r_max 16");
  QCOMPARE(seriesOf(content, "tokens left", 1).legend, "ToMe, r 4");
  for (const PlotPoint& point : second.points) QCOMPARE(point.y, 4.0);
}

void ContentTest::panesOfOneMethodDiffer() {
  const PlotContent content =
      tokensContent({resultOf(0, adaMerge(16)), resultOf(1, adaMerge(16))}, 0, 0, std::nullopt);
  const PlotSeries& first = seriesOf(content, "tokens left", 0);
  const PlotSeries& second = seriesOf(content, "tokens left", 1);
  QCOMPARE(first.legend, "AdaMerge, r_max 16 (canvas 1)");
  QCOMPARE(second.legend, "AdaMerge, r_max 16 (canvas 2)");
  QVERIFY(lineStyle(first.variant) != lineStyle(second.variant));
}

void ContentTest::calibrationStandsBehind() {
  const PaneResult pane = resultOf(0, adaMerge(16));
  const PlotContent content = tokensContent({pane}, 0, 0, std::nullopt);
  // sigmoid(1) = 0.7310586, so 16 sigmoid(-1), 16 sigmoid(0), 16 sigmoid(1) floor to 4, 8, 11.
  const PlotSeries& band = seriesOf(content, "merged", -1);
  QCOMPARE(band.kind, SeriesKind::kBand);
  for (const PlotPoint& point : band.points) {
    QCOMPARE(point.y, 8.0);
    QCOMPARE(point.interval->low, 4.0);
    QCOMPARE(point.interval->high, 11.0);
  }
  const int start = pane.inspection->result.layers[0].tokens_in;
  const auto& tokens = seriesOf(content, "tokens left", -1).points;
  QCOMPARE(tokens.size(), std::size_t{12});
  for (std::size_t block = 0; block < 12; ++block) {
    QCOMPARE(tokens[block].y, start - 8.0 * (static_cast<double>(block) + 1));
  }
  QVERIFY(&band < &seriesOf(content, "merged", 0));
}

void ContentTest::steeperResponseWidensTheBand() {
  MethodChoice choice = choiceOf("adamerge", {{"r_max", std::int64_t{16}}, {"alpha", 2.0}});
  choice.statistics = bundledModel()->statistics;
  const PlotContent content = tokensContent({resultOf(0, choice)}, 0, 0, std::nullopt);
  // sigmoid(2) = 0.8807971.
  const PlotPoint& point = seriesOf(content, "merged", -1).points.front();
  QCOMPARE(point.interval->low, 1.0);
  QCOMPARE(point.interval->high, 14.0);
}

void ContentTest::countsThatFallWithDepthNarrowTheBand() {
  MethodChoice choice = choiceOf("adamerge", {{"r_max", std::int64_t{16}}, {"decay", 2.0}});
  choice.statistics = bundledModel()->statistics;
  const PlotContent content = tokensContent({resultOf(0, choice)}, 0, 0, std::nullopt);
  const auto& points = seriesOf(content, "merged", -1).points;
  // Half a way down a quarter of r_max is left: 4 sigmoid(-1) = 1.08, 4 sigmoid(1) = 2.92.
  QCOMPARE(points[6].interval->low, 1.0);
  QCOMPARE(points[6].interval->high, 2.0);
}

void ContentTest::noCalibrationWithoutStatistics() {
  MethodChoice uncalibrated = adaMerge(6);
  uncalibrated.ignore_statistics = true;
  for (const MethodChoice& choice :
       {toMe(4), choiceOf("none"), uncalibrated,
        choiceOf("adamerge", {{"adaptive", false}, {"r", std::int64_t{4}}})}) {
    const PlotContent content = tokensContent({resultOf(0, choice)}, 0, 0, std::nullopt);
    QCOMPARE(content.series.size(), std::size_t{2});
  }
}

void ContentTest::selectedGroupGrows() {
  const PaneResult pane = resultOf(0, adaMerge(16));
  const Inspection& inspection = *pane.inspection;
  // A patch whose group grows more than once.
  int chosen = -1;
  for (int patch = 0; patch < 196 && chosen < 0; ++patch) {
    if (inspection.groupOf(patch, 3).size() > 1 &&
        inspection.groupOf(patch, 11).size() > inspection.groupOf(patch, 3).size()) {
      chosen = patch;
    }
  }
  QVERIFY(chosen >= 0);
  const PlotContent content = tokensContent({pane}, 0, 0, chosen);
  std::map<int, QString> expected;
  for (int block = 0; block < 12; ++block) {
    const auto size = inspection.groupOf(chosen, block).size();
    if (size != inspection.groupOf(chosen, block - 1).size()) {
      expected[block] = QString::number(size);
    }
  }
  const PlotSeries& group = seriesOf(content, "selected group, patches", 0);
  QCOMPARE(group.points.size(), expected.size());
  for (const PlotPoint& point : group.points) {
    QCOMPARE(point.label, expected.at(point.key));
    QCOMPARE(point.y,
             static_cast<double>(
                 inspection.result.layers[static_cast<std::size_t>(point.key)].tokens_out));
  }
  QVERIFY(!hasSeries(tokensContent({pane}, 0, 0, std::nullopt), "selected group, patches"));
}

void ContentTest::chosenBlockIsMarked() {
  const PlotContent content = tokensContent({resultOf(0, toMe(4))}, 0, 7, std::nullopt);
  QCOMPARE(content.highlight->low, 7.5);
  QCOMPARE(content.highlight->high, 8.5);
}

void ContentTest::redundancyEqualsTheTrace() {
  const PaneResult pane = resultOf(0, adaMerge(16));
  const PlotContent content = redundancyContent({pane}, 0, 0);
  const auto& mean = seriesOf(content, "redundancy S̄", 0).points;
  const auto& z = seriesOf(content, "deviation z", 0).points;
  const auto& layers = pane.inspection->result.layers;
  QCOMPARE(mean.size(), layers.size());
  QCOMPARE(z.size(), layers.size());
  for (std::size_t block = 0; block < layers.size(); ++block) {
    QCOMPARE(mean[block].y, *layers[block].redundancy);
    QCOMPARE(z[block].y, *layers[block].z);
  }
  QVERIFY(seriesOf(content, "deviation z", 0).second_axis);
  QCOMPARE(*content.y2.low, -*content.y2.high);
}

void ContentTest::bandIsInterpolated() {
  // 10 is not stored, so that 8 and 12 are mixed.
  const StatisticsEntry entry = interpolate(*bundledModel()->statistics, 10);
  const PlotContent content = redundancyContent({resultOf(0, adaMerge(10))}, 0, 0);
  const auto& band = seriesOf(content, "redundancy", -1).points;
  QCOMPARE(band.size(), entry.mu.size());
  for (std::size_t block = 0; block < band.size(); ++block) {
    QCOMPARE(band[block].y, entry.mu[block]);
    QCOMPARE(band[block].interval->low, entry.mu[block] - entry.sigma[block]);
    QCOMPARE(band[block].interval->high, entry.mu[block] + entry.sigma[block]);
  }
}

void ContentTest::uncalibratedRedundancyHasNoBand() {
  const MethodChoice other = choiceOf("adamerge", {{"partition", std::string("alternating")}});
  const PlotContent content = redundancyContent({resultOf(0, other)}, 0, 0);
  QVERIFY(!hasSeries(content, "redundancy"));
  QVERIFY(hasSeries(content, "redundancy S̄"));
  QVERIFY(content.note.contains("No calibration"));
}

void ContentTest::otherMethodsHaveNoRedundancy() {
  const PlotContent content = redundancyContent({resultOf(0, toMe(4))}, 0, 0);
  QVERIFY(content.isEmpty());
  QVERIFY(content.empty_text.contains("Only AdaMerge"));
  QVERIFY(redundancyContent({}, 0, 0).empty_text.contains("once one is open"));
  const PlotContent both =
      redundancyContent({resultOf(0, toMe(4)), resultOf(1, adaMerge(16))}, 0, 0);
  QVERIFY(hasSeries(both, "redundancy"));
}

/// What the tree says joined are the groups of the block.
void ContentTest::treeIsThePlans() {
  const InspectionPtr inspection = inspectSample(choiceOf("atc", {{"r", std::int64_t{20}}}));
  for (const int block : {0, 4}) {
    const PlotContent content = treeContent(inspection, block, 17);
    const auto& layers = inspection->result.layers;
    const LayerTrace& layer = layers[static_cast<std::size_t>(block)];
    const std::size_t tokens = static_cast<std::size_t>(layer.tokens_in) - 1;
    QCOMPARE(content.series.size(), std::size_t{2});
    const auto& apart = content.series[0].points;
    const auto& joined = content.series[1].points;
    QCOMPARE(joined.size(), std::size_t{20});
    QCOMPARE(apart.size() + joined.size(), tokens - 1);
    QVERIFY(joined.back().y <= apart.front().y);
    QCOMPARE(content.guides.size(), std::size_t{1});

    // Leaves stand at whole places; those below one join that nothing above took in are a group.
    std::vector<int> parts(tokens + 1);
    std::iota(parts.begin(), parts.end(), 0);
    const auto root = [&parts](int leaf) {
      while (parts[static_cast<std::size_t>(leaf)] != leaf)
        leaf = parts[static_cast<std::size_t>(leaf)];
      return leaf;
    };
    std::map<std::pair<double, double>, int> leaf_below;
    const auto below = [&leaf_below](double x, double y) {
      const auto known = leaf_below.find({x, y});
      return known != leaf_below.end() ? known->second : static_cast<int>(std::lround(x));
    };
    for (const PlotPoint& join : joined) {
      QVERIFY(join.bracket.has_value());
      QVERIFY(join.bracket->left_x < join.bracket->right_x);
      const int left = below(join.bracket->left_x, join.bracket->left_y);
      const int right = below(join.bracket->right_x, join.bracket->right_y);
      parts[static_cast<std::size_t>(root(right))] = root(left);
      leaf_below[{join.x, join.y}] = left;
    }
    std::multiset<int> sizes;
    std::map<int, int> counted;
    for (int leaf = 1; leaf <= static_cast<int>(tokens); ++leaf) ++counted[root(leaf)];
    for (const auto& [part, size] : counted) sizes.insert(size);
    // The same from the trace: how many groups of before are in each of now.
    std::map<int, std::set<int>> members;
    for (std::size_t patch = 0; patch < layer.groups.size(); ++patch) {
      members[layer.groups[patch]].insert(
          block == 0 ? static_cast<int>(patch)
                     : layers[static_cast<std::size_t>(block) - 1].groups[patch]);
    }
    std::multiset<int> wanted;
    for (const auto& [group, inside] : members) wanted.insert(static_cast<int>(inside.size()));
    QVERIFY(sizes == wanted);
  }
}

void ContentTest::treeOfOtherMethodsSaysWhy() {
  const PlotContent none = treeContent(inspectSample(toMe(4)), 0, std::nullopt);
  QVERIFY(none.isEmpty());
  QVERIFY(none.empty_text.contains("Only ATC"));
  const InspectionPtr idle = inspectSample(choiceOf("atc", {{"keep_ratio", 0.5}}));
  QVERIFY(treeContent(idle, 0, std::nullopt).empty_text.contains("Nothing joins in block 1"));
  QVERIFY(!treeContent(idle, 3, std::nullopt).isEmpty());
}

void ContentTest::tableHoldsEveryPoint() {
  const PaneResult pane = resultOf(0, adaMerge(16));
  const PlotContent content = tokensContent({pane}, 0, 0, std::nullopt);
  const QStringList rows = plotTable(content, {}, '\t').trimmed().split('\n');
  QCOMPARE(rows.size(), 1 + 4 * 12);
  QCOMPARE(rows[0], "series\tquantity\tBlock\tvalue\tlow\thigh\tnote");
  const QStringList cells = rows.last().split('\t');
  QCOMPARE(cells[0], "AdaMerge, r_max 16: tokens left");
  QCOMPARE(cells[2], "12");
  QCOMPARE(cells[3].toInt(), pane.inspection->result.layers.back().tokens_out);
  const QString csv = plotTable(content, {"tokens left"}, ',');
  QCOMPARE(csv.trimmed().split('\n').size(), 1 + 3 * 12);
  QVERIFY(csv.contains("\"AdaMerge, r_max 16: merged\",merged,1,"));
}

}  // namespace

ADAMERGE_UI_TEST(ContentTest)

}  // namespace adamerge::ui::test

#include "content_test.moc"
