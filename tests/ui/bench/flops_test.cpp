// SPDX-License-Identifier: GPL-3.0-or-later
// Sweeps over the slider, target FLOPs and panes at equal FLOPs.
#include <QtTest>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "adamerge/calibrate.h"
#include "bench/sweeper.h"
#include "bench_fixture.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

/// Smallest distance to `target` over every value of the slider, each run directly.
double nearestDistance(MethodChoice choice, const std::string& key, int limit, double target) {
  static std::map<std::string, std::vector<double>> measured;
  std::vector<double>& flops = measured[choice.method];
  for (int value = static_cast<int>(flops.size()); value <= limit; ++value) {
    choice.settings[key] = std::int64_t{value};
    flops.push_back(directRun(choice).flops.paper);
  }
  double nearest = std::numeric_limits<double>::max();
  for (const double cost : flops) nearest = std::min(nearest, std::abs(cost - target));
  return nearest;
}

bool sweepComplete(Workbench& bench, int pane) {
  const SweepPtr sweep = bench.sweeper().sweep(pane);
  return sweep != nullptr && sweep->complete;
}

class FlopsTest : public QObject {
  Q_OBJECT

 private slots:
  void coarseToFineVisitsEveryValueOnce() {
    QCOMPARE(coarseToFine(0), std::vector<int>{0});
    QCOMPARE(coarseToFine(1), (std::vector<int>{0, 1}));
    for (const int limit : {2, 7, 8, 98, 196}) {
      const std::vector<int> order = coarseToFine(limit);
      const std::set<int> values(order.begin(), order.end());
      QCOMPARE(order.size(), static_cast<std::size_t>(limit) + 1);
      QCOMPARE(values.size(), order.size());
      QCOMPARE(order[0], 0);
      QCOMPARE(order[1], limit);
      QCOMPARE(*values.rbegin(), limit);
    }
    // After a quarter of the work no gap is wider than an eighth of the range.
    const std::vector<int> order = coarseToFine(196);
    const std::set<int> quarter(order.begin(), order.begin() + 49);
    int last = 0;
    for (const int value : quarter) {
      QVERIFY(value - last <= 24);
      last = value;
    }
  }

  void sweepPointsEqualDirectRuns() {
    Workbench bench;
    bench.edit(0, choiceOf("tome"), "method");
    QVERIFY(start(bench, /*sweeps=*/true));
    QSignalSpy changed(&bench.sweeper(), &Sweeper::changed);
    QElapsedTimer timer;
    timer.start();
    QVERIFY(waitUntil([&] { return sweepComplete(bench, 0); }));
    QVERIFY2(changed.count() <= timer.elapsed() / 100 + 2, "at most 10 signals a second");
    const Sweep sweep = *bench.sweeper().sweep(0);
    QCOMPARE(sweep.limit, 98);
    QCOMPARE(sweep.points.size(), std::size_t{99});
    const ImageResult baseline = directRun({});
    const Prediction top = topPredictions(baseline.logits, {}, 1).front();
    for (const int value : {0, 1, 13, 64, 98}) {
      const SweepPoint& point = sweep.points[static_cast<std::size_t>(value)];
      const ImageResult direct = directRun(choiceOf("tome", {{"r", std::int64_t{value}}}));
      QCOMPARE(point.value, value);
      QCOMPARE(point.flops.paper, direct.flops.paper);
      QCOMPARE(point.tokens, direct.layers.back().tokens_out);
      const Fidelity fidelity = compareLogits(baseline.logits, direct.logits);
      QCOMPARE(point.top1_agrees, fidelity.top1_agrees);
      QCOMPARE(point.logit_cosine, fidelity.logit_cosine);
      double probability = 0;
      for (const Prediction& prediction : topPredictions(direct.logits, {}, 10)) {
        if (prediction.index == top.index) probability = prediction.probability;
      }
      QCOMPARE(point.top_probability, probability);
    }

    // Another place of the slider is the same sweep; another setting is not; back again it is kept.
    const SweepPtr kept = bench.sweeper().sweep(0);
    bench.setCompression(0, 40);
    QCOMPARE(bench.sweeper().sweep(0), kept);
    bench.sweeper().setEnabled(false);
    bench.edit(0, choiceOf("pitome"), "method");
    QVERIFY(bench.sweeper().sweep(0)->points.empty());
    bench.edit(0, choiceOf("none"), "method");
    QVERIFY(bench.sweeper().sweep(0) == nullptr);
    bench.edit(0, choiceOf("tome"), "method");
    QCOMPARE(bench.sweeper().sweep(0), kept);
  }

  void theSliderDoesNotWaitForTheSweep() {
    Workbench bench;
    QVERIFY(start(bench, /*sweeps=*/true));
    for (int i = 0; i < 10; ++i) {
      QVERIFY(!sweepComplete(bench, 0));
      bench.setCompression(0, 20 + i);
      QVERIFY(waitUntil([&] { return bench.settled(); }));
      QVERIFY(sameResult(bench.pane(0).inspection()->result,
                         directRun(choiceOf("adamerge", {{"r_max", std::int64_t{20 + i}}}))));
      QTest::qWait(30);
    }
  }

  void targetFlopsBySearch() {
    Workbench bench;
    QVERIFY(start(bench));
    const double target = bench.model()->unmerged.paper * 0.6;
    bench.setTargetFlops(0, target);
    QVERIFY(waitUntil([&] { return bench.pane(0).compression() != 16 && bench.settled(); }));
    const PreparedImage prepared =
        prepareImage(*samplePicture()->original, bundledEngine()->info().preprocessing);
    const SchedulePoint expected =
        matchFlops(*bundledEngine(), std::span(&prepared.input, 1), choiceOf("adamerge"), target);
    QCOMPARE(bench.pane(0).compression(), expected.value);
    QCOMPARE(bench.history().count(), 1);
    bench.history().undo();
    QCOMPARE(bench.pane(0).compression(), 16);
  }

  void targetFlopsFromTheSweepAtOnce() {
    Workbench bench;
    bench.edit(0, choiceOf("tome"), "method");
    QVERIFY(start(bench, /*sweeps=*/true));
    QVERIFY(waitUntil([&] { return sweepComplete(bench, 0); }));
    const MethodChoice choice = choiceOf("tome");
    for (const double share : {0.35, 0.5, 0.77, 2.0}) {
      const double target = bench.model()->unmerged.paper * share;
      bench.setTargetFlops(0, target);
      const double reached = bench.sweeper()
                                 .sweep(0)
                                 ->points[static_cast<std::size_t>(bench.pane(0).compression())]
                                 .flops.paper;
      QCOMPARE(std::abs(reached - target), nearestDistance(choice, "r", 98, target));
    }
  }

  void newPanesStartWithOtherMethodsAtEqualFlops() {
    Workbench bench;
    QVERIFY(start(bench));
    QSignalSpy counted(&bench, &Workbench::paneCountChanged);
    bench.setPaneCount(4);
    QVERIFY(waitUntil([&] {
      return bench.settled() && bench.pane(1).compression() != 8 &&
             bench.pane(3).compression() != 8;
    }));
    const char* expected[] = {"adamerge", "tome", "pitome", "dsm"};
    const double target = bench.pane(0).inspection()->result.flops.paper;
    for (int i = 0; i < 4; ++i) {
      QCOMPARE(bench.pane(i).choice().method, std::string(expected[i]));
      const Inspection& shown = *bench.pane(i).inspection();
      QVERIFY(sameResult(shown.result, directRun(shown.choice)));
      if (i == 0) continue;
      QCOMPARE(std::abs(shown.result.flops.paper - target),
               nearestDistance(shown.choice, "r", 98, target));
    }
    QCOMPARE(bench.history().count(), 0);
    QVERIFY(!bench.equalFlops());

    // Matched once; without equal FLOPs each goes its way, and comes back as it was.
    const int before = bench.pane(1).compression();
    bench.setCompression(0, 60);
    QVERIFY(waitUntil([&] { return bench.settled(); }));
    QCOMPARE(bench.pane(1).compression(), before);
    bench.setActivePane(3);
    bench.setPaneCount(1);
    QCOMPARE(bench.activeIndex(), 0);
    bench.setPaneCount(3);
    QCOMPARE(bench.paneCount(), 2);
    QCOMPARE(bench.pane(1).compression(), before);
    QCOMPARE(counted.count(), 3);
  }

  void otherPanesFollowTheFirst() {
    Workbench bench;
    QVERIFY(start(bench, /*sweeps=*/true));
    bench.setPaneCount(2);
    bench.setEqualFlops(true);
    bench.setCompression(0, 40);
    bench.endEdit();
    const auto matched = [&] {
      if (!bench.settled()) return false;
      const double target = bench.pane(0).inspection()->result.flops.paper;
      const SweepPtr sweep = bench.sweeper().sweep(1);
      return sweep->complete && bench.pane(1).compression() == *valueNearest(*sweep, target);
    };
    QVERIFY(waitUntil(matched));
    double target = bench.pane(0).inspection()->result.flops.paper;
    QCOMPARE(std::abs(bench.pane(1).inspection()->result.flops.paper - target),
             nearestDistance(choiceOf("tome"), "r", 98, target));

    // The other way round: AdaMerge follows ToMe, its FLOPs differ from image to image.
    bench.edit(0, choiceOf("tome", {{"r", std::int64_t{13}}}), "method");
    bench.edit(1, choiceOf("adamerge"), "method");
    QVERIFY(waitUntil(matched));
    target = bench.pane(0).inspection()->result.flops.paper;
    QCOMPARE(std::abs(bench.pane(1).inspection()->result.flops.paper - target),
             nearestDistance(choiceOf("adamerge"), "r_max", 196, target));

    // Only the user's steps are in the history, a follower's slider does nothing, and it rests.
    QCOMPARE(bench.history().count(), 3);
    const int rest = bench.pane(1).compression();
    bench.setCompression(1, 3);
    bench.setTargetFlops(1, 0.1);
    QCOMPARE(bench.pane(1).compression(), rest);
    int signals_seen = 0;
    connect(&bench.pane(1), &Pane::choiceChanged, this, [&] { ++signals_seen; });
    QTest::qWait(300);
    QCOMPARE(signals_seen, 0);

    // Undo of the first pane takes the other along.
    bench.history().undo();
    bench.history().undo();
    bench.history().undo();
    QCOMPARE(bench.pane(0).compression(), 16);
    QVERIFY(waitUntil(matched));
    bench.setEqualFlops(false);
    bench.setCompression(1, 3);
    QCOMPARE(bench.pane(1).compression(), 3);
  }
};

}  // namespace

ADAMERGE_UI_TEST(FlopsTest)

}  // namespace adamerge::ui::test

#include "flops_test.moc"
