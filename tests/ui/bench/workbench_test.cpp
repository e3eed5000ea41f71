// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>
#include <algorithm>
#include <filesystem>

#include "bench_fixture.h"
#include "sanitized.h"
#include "temporary_folder.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

using adamerge::test::TemporaryFolder;

class WorkbenchTest : public QObject {
  Q_OBJECT

 private slots:
  void showsTheEnginesResult() {
    Workbench bench;
    QVERIFY(start(bench));
    for (const MethodInfo& method : methods()) {
      bench.edit(0, choiceOf(method.id), "method");
      QVERIFY(waitUntil([&] { return bench.settled(); }));
      const Inspection& shown = *bench.pane(0).inspection();
      QCOMPARE(shown.choice.method, method.id);
      QVERIFY2(sameResult(shown.result, directRun(choiceOf(method.id))), method.id.c_str());
      QVERIFY(sameResult(*shown.baseline, directRun({})));
      QCOMPARE(shown.survivors.size(), std::size_t{12});
      for (int block : {0, 5, 11}) {
        QCOMPARE(shown.survivors[static_cast<std::size_t>(block)],
                 survivingPatches(shown.result.layers, block));
      }
      QCOMPARE(shown.picture, bench.picture());
      QCOMPARE(shown.model, bench.model());
    }
    QCOMPARE(bench.view().depth(), 12);
    QCOMPARE(bench.view().block(), 11);
  }

  void ofABurstTheNewestIsDrawnAndAtMostTheRunInHand() {
    Workbench bench;
    QVERIFY(start(bench));
    std::vector<int> drawn;
    noteDrawn(bench.pane(0), drawn);
    for (int i = 0; i < 200; ++i) bench.setCompression(0, 17 + i % 150);
    QVERIFY(bench.pane(0).busy());
    QVERIFY(waitUntil([&] { return bench.settled(); }));
    QTest::qWait(200);
    // On a busy machine the burst outlasts the time from which a run is worth finishing.
    QVERIFY2(drawn.size() <= 2, qPrintable(QString::number(drawn.size())));
    QCOMPARE(drawn.back(), 17 + 199 % 150);
  }

  void thePictureFollowsASliderThatDoesNotStop() {
    Workbench bench;
    QVERIFY(start(bench));
    std::vector<int> drawn;
    noteDrawn(bench.pane(0), drawn);
    for (int value = 20; value < 120; ++value) {
      bench.setCompression(0, value);
      // A busy machine gets slower moves, not a slider at rest.
      const bool behind = drawn.size() < static_cast<std::size_t>(value - 20) / 20;
      QTest::qWait(behind ? 150 * adamerge::test::kPace : 16);
    }
    const std::size_t during = drawn.size();
    QVERIFY(waitUntil([&] { return bench.settled(); }));
    QVERIFY2(during >= 5, qPrintable(QString("drawn while moving: %1").arg(during)));
    QVERIFY2(std::is_sorted(drawn.begin(), drawn.end()), "never back to an older one");
    QCOMPARE(drawn.back(), 119);
  }

  void aFinishedSettingReturnsAtOnce() {
    Workbench bench;
    QVERIFY(start(bench));
    const InspectionPtr first = bench.pane(0).inspection();
    bench.setCompression(0, 30);
    QVERIFY(waitUntil([&] { return bench.settled(); }));
    QVERIFY(bench.pane(0).inspection() != first);
    bench.setCompression(0, 16);
    QVERIFY(!bench.pane(0).busy());
    QCOMPARE(bench.pane(0).inspection(), first);
  }

  void oneDragIsOneStepOfTheHistory() {
    Workbench bench;
    QVERIFY(start(bench));
    for (int value = 17; value <= 40; ++value) bench.setCompression(0, value);
    bench.endEdit();
    QCOMPARE(bench.history().count(), 1);
    for (int value = 39; value >= 20; --value) bench.setCompression(0, value);
    bench.endEdit();
    QCOMPARE(bench.history().count(), 2);
    bench.edit(0, choiceOf("tome", {{"r", std::int64_t{8}}}), "method");
    QCOMPARE(bench.history().count(), 3);

    bench.history().undo();
    QCOMPARE(bench.pane(0).choice().method, std::string("adamerge"));
    QCOMPARE(bench.pane(0).compression(), 20);
    bench.history().undo();
    QCOMPARE(bench.pane(0).compression(), 40);
    bench.history().undo();
    QCOMPARE(bench.pane(0).compression(), 16);
    bench.history().redo();
    bench.history().redo();
    QVERIFY(waitUntil([&] { return bench.settled(); }));
    QVERIFY(sameResult(bench.pane(0).inspection()->result,
                       directRun(choiceOf("adamerge", {{"r_max", std::int64_t{20}}}))));
  }

  void aDragBackToItsStartLeavesNoStep() {
    Workbench bench;
    bench.setCompression(0, 20);
    bench.setCompression(0, 16);
    bench.endEdit();
    QCOMPARE(bench.history().count(), 0);
  }

  void whatDoesNotFitIsRefusedInWords() {
    Workbench bench;
    QVERIFY(start(bench));
    QSignalSpy failed(&bench, &Workbench::failed);
    const MethodChoice before = bench.pane(0).choice();
    bench.edit(0, choiceOf("adamerge", {{"alpha", -1.0}}), "alpha");
    bench.edit(0, choiceOf("nonsense"), "method");
    bench.edit(0, choiceOf("dsm", {{"delay", std::int64_t{12}}}), "delay");
    QCOMPARE(failed.count(), 3);
    QCOMPARE(failed[0].front().toString(),
             QString("alpha takes a number from 0 to 1000000, not '-1'"));
    QVERIFY(failed[1].front().toString().contains("nonsense"));
    QVERIFY2(failed[2].front().toString().startsWith("d 12 leaves no block"),
             qPrintable(failed[2].front().toString()));
    QCOMPARE(bench.pane(0).choice().settings, before.settings);
    QCOMPARE(bench.history().count(), 0);
    bench.setCompression(0, 10'000);
    QCOMPARE(bench.pane(0).compression(), 196);
    bench.setCompression(0, -5);
    QCOMPARE(bench.pane(0).compression(), 0);
  }

  void aPictureThatCannotBeUsedLeavesTheProgramGoing() {
    Workbench bench;
    QVERIFY(start(bench));
    QSignalSpy failed(&bench, &Workbench::failed);
    bench.showPicture(makePicture(Image{}, "empty"));
    QVERIFY(waitUntil([&] { return !failed.isEmpty(); }));
    QVERIFY(!bench.pane(0).busy());
    bench.pictures().open(samplePath("ship"));
    QVERIFY(waitUntil([&] { return bench.settled(); }));
    QVERIFY(
        sameResult(bench.pane(0).inspection()->result, directRun(choiceOf("adamerge"), "ship")));
  }

  void aLoadThatFailsLeavesTheModel() {
    Workbench bench;
    QVERIFY(start(bench));
    const LoadedModelPtr model = bench.model();
    QSignalSpy failed(&bench, &Workbench::failed);
    bench.models().load("/no/such/model");
    QVERIFY(waitUntil([&] { return !failed.isEmpty(); }));
    QVERIFY(failed.front().front().toString().contains("/no/such/model"));
    QCOMPARE(bench.model(), model);
    bench.setCompression(0, 33);
    QVERIFY(waitUntil([&] { return bench.settled(); }));
    QCOMPARE(bench.pane(0).inspection()->model, model);
  }

  void precisionSwitchesLive() {
    Workbench bench;
    QVERIFY(start(bench));
    bench.view().setBlock(4);
    bench.models().load(bench.model()->info.source, {.dtype = "bfloat16"});
    QVERIFY(waitUntil([&] { return bench.model()->dtype == "bfloat16" && bench.settled(); }));
    QCOMPARE(bench.view().block(), 4);
    QVERIFY(sameResult(bench.pane(0).inspection()->result,
                       directRun(choiceOf("adamerge"), "bird", "bfloat16")));
  }

  void settingsAreFittedToASmallerModel() {
    Workbench bench;
    QVERIFY(start(bench));
    bench.setCompression(0, 150);
    QVERIFY(waitUntil([&] { return bench.settled(); }));
    bench.view().select(190);
    bench.models().load(bench.model()->info.source, {.input_size = InputSize{28, 28}});
    QVERIFY(waitUntil([&] { return bench.model()->info.vit.patchTokens() == 49; }));
    QCOMPARE(bench.pane(0).compression(), 49);
    QVERIFY(!bench.view().selectedPatch());
    QVERIFY(waitUntil([&] { return bench.settled(); }));
    QCOMPARE(bench.pane(0).inspection()->gridWidth(), 7);
    // The history still holds the larger count.
    bench.history().undo();
    bench.history().redo();
    QCOMPARE(bench.pane(0).compression(), 49);
  }

  void anUncalibratedModelWorksAndTakesStatistics() {
    const TemporaryFolder folder;
    for (const char* file : {"config.json", "model.safetensors"}) {
      std::filesystem::copy_file(bundledModelPath() / file, folder.path() / file);
    }
    Workbench bench;
    bench.sweeper().setEnabled(false);
    bench.pictures().open(samplePath("bird"));
    bench.models().load(folder.path(), {.dtype = "float32"});
    QVERIFY(waitUntil([&] { return bench.settled(); }));
    QVERIFY(bench.model()->statistics == nullptr);
    QVERIFY(!bench.pane(0).inspection()->result.calibrated);

    const LoadedModelPtr before = bench.model();
    auto statistics =
        std::make_shared<Statistics>(readStatistics(bundledModelPath() / "stats.json"));
    QSignalSpy failed(&bench, &Workbench::failed);
    bench.useStatistics(std::make_shared<Statistics>(*statistics));
    QCOMPARE(failed.count(), 1);  // made for a model of another name
    QCOMPARE(bench.model(), before);

    statistics->model = bench.model()->info.name;
    bench.useStatistics(statistics);
    QVERIFY(bench.model()->id != before->id);
    QVERIFY(waitUntil([&] { return bench.settled(); }));
    QVERIFY(bench.pane(0).inspection()->result.calibrated);
    QVERIFY(sameResult(bench.pane(0).inspection()->result, directRun(choiceOf("adamerge"))));
  }

  void framesThatComeTooFastAreDropped() {
    Workbench bench;
    QVERIFY(start(bench));
    std::vector<std::uint64_t> drawn;
    connect(&bench.pane(0), &Pane::inspectionChanged, this, [&] {
      if (const auto shown = bench.pane(0).inspection()) drawn.push_back(shown->picture->id);
    });
    const Image image = loadImage(samplePath("ship"));
    std::uint64_t first = 0;
    PicturePtr last;
    // A second, or on a machine that other programs share until some are drawn.
    std::size_t frames = 0;
    for (; frames < 100 || (drawn.size() < 3 && frames < 3000); ++frames) {
      last = makePicture(image, "camera", {}, /*stream=*/7);
      if (frames == 0) first = last->id;
      bench.showPicture(last);
      QTest::qWait(10);
    }
    const std::size_t during = drawn.size();
    QVERIFY(waitUntil([&] { return bench.settled() && bench.picture() == last; }));
    QVERIFY2(during >= 3, qPrintable(QString("drawn while playing: %1").arg(during)));
    QVERIFY(drawn.size() < frames);
    QVERIFY(std::is_sorted(drawn.begin(), drawn.end()));
    QCOMPARE(drawn.front(), first);
    QCOMPARE(drawn.back(), last->id);
  }

  void closingThePictureEmptiesThePanes() {
    Workbench bench;
    QVERIFY(start(bench));
    bench.setCompression(0, 50);
    bench.closePicture();
    QVERIFY(bench.picture() == nullptr);
    QVERIFY(!bench.pane(0).busy());
    QVERIFY(bench.pane(0).inspection() == nullptr);
    QTest::qWait(150);
    QVERIFY(bench.pane(0).inspection() == nullptr);
    QCOMPARE(bench.pane(0).compression(), 50);
  }

 private:
  /// Each r_max that the pane draws from now on.
  void noteDrawn(Pane& pane, std::vector<int>& drawn) {
    connect(&pane, &Pane::inspectionChanged, this, [&] {
      const auto& settings = pane.inspection()->choice.settings;
      drawn.push_back(static_cast<int>(std::get<std::int64_t>(settings.at("r_max"))));
    });
  }
};

}  // namespace

ADAMERGE_UI_TEST(WorkbenchTest)

}  // namespace adamerge::ui::test

#include "workbench_test.moc"
