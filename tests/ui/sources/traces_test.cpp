// SPDX-License-Identifier: GPL-3.0-or-later
// Traces in the studio: opened like pictures, beside runs of its own, followed, handed over.
#include "bench/traces.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QLocalSocket>
#include <QtTest>
#include <array>
#include <fstream>

#include "adamerge/image.h"
#include "adamerge/trace_file.h"
#include "bench_fixture.h"
#include "canvas/patch_readout.h"
#include "export/figure_source.h"
#include "look/widgets.h"
#include "settings/compression_bar.h"
#include "sources/drop.h"
#include "sources/trace_follower.h"
#include "temporary_folder.h"
#include "ui_test.h"
#include "window/single_instance.h"
#include "window_fixture.h"

namespace adamerge::ui::test {
namespace {

using adamerge::test::TemporaryFolder;

const MethodChoice kToMe{"tome", {{"r", std::int64_t{8}}}, nullptr, false};

/// A run of ours on a sample; several images differ by their names alone.
ImageResult writeSampleTrace(const std::filesystem::path& path, int r = 8, std::size_t images = 1) {
  const auto engine = bundledEngine();
  const PreparedImage prepared =
      prepareImage(loadImage(samplePath("bird")), engine->info().preprocessing);
  const MethodChoice choice{"tome", {{"r", std::int64_t{r}}}, nullptr, false};
  const ImageResult result = engine->run(std::array{prepared.input}, choice).front();
  std::vector<TraceRecord> records;
  for (std::size_t i = 0; i < images; ++i) {
    records.push_back(
        {i == 0 ? "bird.png" : std::to_string(i) + ".png", &prepared.view, &result, nullptr});
  }
  writeTrace(path, engine->info(), choice, records, "a test");
  return result;
}

class TracesTest : public QObject {
  Q_OBJECT

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "run.adamerge-trace";

 private slots:
  void aTraceOpensLikeAPicture() {
    const ImageResult written = writeSampleTrace(path_);
    Workbench bench;
    QVERIFY(start(bench));
    QSignalSpy failed(&bench, &Workbench::failed);
    DroppedContent content;
    QVERIFY(sortFiles({QString::fromStdString(path_.string())}, content).isEmpty());
    QCOMPARE(content.images.size(), std::size_t{1});
    bench.pictures().open(content.images.front());
    QVERIFY(waitUntil([&] { return bench.showsTrace(0); }));
    const InspectionPtr shown = bench.pane(0).inspection();
    QVERIFY(shown != nullptr && shown->traced != nullptr);
    QCOMPARE(bench.picture()->path, path_);
    for (std::size_t block = 0; block < 12; ++block) {
      QCOMPARE(shown->result.layers[block].groups, written.layers[block].groups);
      QCOMPARE(shown->survivors[block], survivingPatches(written.layers, static_cast<int>(block)));
    }
    QVERIFY(runTitle(*shown).starts_with("ToMe, "));
    QVERIFY(captionLines(*shown).back().contains("101 tokens left"));
    const auto notice = [&](OverlayKind kind) {
      OverlayStyle style;
      style.kind = kind;
      return overlayNotice(*shown, style, 3, false);
    };
    QVERIFY(notice(OverlayKind::kSalience).contains("holds no salience"));
    QVERIFY(notice(OverlayKind::kRollout).contains("holds no run"));
    QVERIFY(notice(OverlayKind::kSurvivors).isEmpty());
    // Its method is its own.
    bench.edit(0, kToMe, "method");
    QCOMPARE(failed.size(), 1);
    QVERIFY(failed.front().front().toString().contains("trace"));
    bench.pictures().open(samplePath("ship"));
    QVERIFY(waitUntil([&] { return !bench.showsTrace(0) && bench.settled(); }));
    QVERIFY(bench.pane(0).inspection()->traced == nullptr);
  }

  void whatATraceLacksIsADash() {
    writeSampleTrace(path_);
    Workbench bench;
    QVERIFY(start(bench));
    DroppedContent content;
    QVERIFY(sortFiles({QString::fromStdString(path_.string())}, content).isEmpty());
    bench.pictures().open(content.images.front());
    QVERIFY(waitUntil([&] { return bench.showsTrace(0); }));
    Inspection shown = *bench.pane(0).inspection();
    auto unmerged_run = std::make_shared<ImageResult>(*shown.baseline);
    unmerged_run->flops.paper = 2 * shown.result.flops.paper;
    shown.baseline = unmerged_run;
    CompressionReadout readout;
    const auto told = [&](bool unmerged, bool merged) {
      auto info = std::make_shared<TraceInfo>(*shown.traced->info);
      info->has_baseline_flops = unmerged;
      info->has_flops = merged;
      auto run = std::make_shared<TracedRun>(*shown.traced);
      run->info = info;
      auto inspection = std::make_shared<Inspection>(shown);
      inspection->traced = run;
      readout.setInspection(inspection);
      QStringList texts;
      for (const NumberLabel* label : readout.findChildren<NumberLabel*>()) texts << label->text();
      return texts;
    };
    QVERIFY(told(true, true).contains("100.0 %"));
    for (const auto& [unmerged, merged] : {std::pair(false, true), std::pair(false, false)}) {
      QVERIFY(!told(unmerged, merged).contains("100.0 %"));
    }
    QCOMPARE(told(false, false).filter(" G").size(), 0);
  }

  void besideARunOfTheStudioOnTheSamePicture() {
    const ImageResult written = writeSampleTrace(path_);
    Workbench bench;
    QVERIFY(start(bench));
    bench.pictures().open(path_);
    QVERIFY(waitUntil([&] { return bench.showsTrace(0); }));
    bench.setPaneCount(2);
    bench.restoreChoice(1, kToMe);
    QVERIFY(waitUntil([&] { return bench.settled(); }));
    const InspectionPtr own = bench.pane(1).inspection();
    QVERIFY(own->traced == nullptr);
    QVERIFY(own->picture == bench.pane(0).inspection()->picture);
    // What the network saw is stored in whole bytes, and given to ours as it is.
    for (std::size_t block = 0; block < 12; ++block) {
      QCOMPARE(own->result.layers[block].groups, written.layers[block].groups);
    }
    QCOMPARE(own->result.logits, written.logits);
    // Another trace, into the canvas worked in.
    const auto other = folder_.path() / "other.adamerge-trace";
    writeSampleTrace(other, 16);
    bench.setActivePane(1);
    bench.pictures().open(other);
    QVERIFY(waitUntil([&] { return bench.showsTrace(1); }));
    QVERIFY(bench.showsTrace(0));
    QCOMPARE(bench.pane(1).inspection()->result.layers[0].merges.size(), std::size_t{16});
    QCOMPARE(bench.picture()->path, path_);
  }

  void itsFiguresKnowTheTrace() {
    writeSampleTrace(path_);
    const PicturePtr picture = openTracedPicture(path_, 0);
    const InspectionPtr shown = inspectionOf(picture, picture);
    const FigureInput input = makeFigureInput(*shown, 4, {});
    QCOMPARE(input.subtitle, runTitle(*shown));
    QVERIFY(tracedBy(input.provenance)->trace == path_);
    QCOMPARE(tracedBy(input.provenance)->layer, 4);
    const auto json = QJsonDocument::fromJson(QByteArray::fromStdString(input.provenance)).object();
    QCOMPARE(json["method"].toString(), QString("ToMe"));
    QCOMPARE(json["settings"].toObject()["r"].toInt(), 8);
    QCOMPARE(json["block"].toInt(), 5);
    QCOMPARE(json["image"].toString(), QString("bird.png"));
  }

  void aDroppedFigureOpensItsTraceAtImageAndBlock() {
    for (const auto& [format, ending] :
         {std::pair{FigureFormat::kPdf, ".pdf"}, std::pair{FigureFormat::kSvg, ".svg"}}) {
      const auto before = folder_.path() / "before";
      const auto moved = folder_.path() / (std::string("moved") + ending);
      std::filesystem::create_directory(before);
      const auto figure = std::string("figure") + ending;
      writeSampleTrace(before / "run.adamerge-trace", 8, 3);
      const PicturePtr traced = openTracedPicture(before / "run.adamerge-trace", 2);
      const FigureInput input = makeFigureInput(*inspectionOf(traced, traced), 4, {});
      writeFigure("groups", input, {}, format, before / figure);
      std::filesystem::rename(before, moved);

      WindowFixture fixture;
      QVERIFY(fixture.settle());
      fixture.dropPath(QString::fromStdString((moved / figure).string()));
      const auto shown = [&] { return fixture.workbench().picture(); };
      QVERIFY(waitUntil([&] {
        return shown() != nullptr && shown()->traced != nullptr && shown()->traced->index == 2;
      }));
      QVERIFY(shown()->path == moved / "run.adamerge-trace");
      QCOMPARE(fixture.workbench().view().block(), 4);

      std::filesystem::remove(moved / "run.adamerge-trace");
      fixture.dropPath(QString::fromStdString((moved / figure).string()));
      QVERIFY(waitUntil([&] { return fixture.message().contains("neither there nor beside"); }));
      const auto plain = moved / (std::string("plain") + ending);
      std::ofstream(plain) << "<svg/>";
      fixture.dropPath(QString::fromStdString(plain.string()));
      QVERIFY(waitUntil([&] { return fixture.message().contains("carries no settings"); }));
    }
  }

  void aTraceWrittenAnewKeepsBlockAndSelection() {
    writeSampleTrace(path_);
    Workbench bench;
    QVERIFY(start(bench));
    bench.pictures().open(path_);
    QVERIFY(waitUntil([&] { return bench.showsTrace(0); }));
    bench.view().setBlock(4);
    bench.view().select(17);
    writeSampleTrace(path_, 4);
    bench.showPicture(openTracedPicture(path_, 0));
    QCOMPARE(bench.pane(0).inspection()->result.layers[0].merges.size(), std::size_t{4});
    QCOMPARE(bench.view().block(), 4);
    QCOMPARE(bench.view().selectedPatch(), std::optional<int>(17));
  }

  void aFollowerHearsOfFilesRenamedOverAndWrittenInto() {
    std::ofstream(path_) << "one";
    TraceFollower follower;
    QSignalSpy changed(&follower, &TraceFollower::changed);
    follower.follow({path_});
    for (int round = 0; round < 2; ++round) {
      const auto next = folder_.path() / "next";
      std::ofstream(next) << "round " << round;
      std::filesystem::rename(next, path_);
      QVERIFY(waitUntil([&] { return changed.size() == 2 * round + 1; }));
      std::ofstream(path_, std::ios::app) << "more";
      QVERIFY(waitUntil([&] { return changed.size() == 2 * round + 2; }));
    }
    // Gone and back.
    std::filesystem::remove(path_);
    QTest::qWait(300);
    QCOMPARE(changed.size(), 4);
    std::ofstream(path_) << "again";
    QVERIFY(waitUntil([&] { return changed.size() == 5; }));
    std::ofstream(folder_.path() / "another") << "one";
    QTest::qWait(300);
    QCOMPARE(changed.size(), 5);
  }

  void imagesOfATraceAreFrames() {
    writeSampleTrace(path_, 8, 3);
    TraceFrames frames(path_);
    QCOMPARE(frames.frameCount(), 3);
    QVERIFY(!frames.isVideo());
    QVERIFY(frames.seek(2) && frames.grab());
    QVERIFY(frames.picture()->name.endsWith("2.png"));
    QCOMPARE(frames.picture()->traced->index, std::size_t{2});
    QVERIFY(!frames.grab());
  }

  void anotherProgramAsksForAFile() {
    const QString place = QString::fromStdString((folder_.path() / "a.socket").string());
    SingleInstance first(place);
    QVERIFY(first.listens());
    SingleInstance second(place);
    QVERIFY(!second.listens());
    QSignalSpy asked(&first, &SingleInstance::asked);
    const auto ask = [&](const QByteArray& line) {
      QLocalSocket socket;
      socket.connectToServer(place);
      if (!socket.waitForConnected()) return QByteArray();
      socket.write(line);
      socket.flush();
      waitUntil([&] { return socket.canReadLine(); });
      return socket.readAll();
    };
    QCOMPARE(ask("{\"open\": \"/a b.png\"}\n"), QByteArray("ok\n"));
    QCOMPARE(asked.size(), 1);
    QCOMPARE(asked.front().front().toString(), QString("/a b.png"));
    QVERIFY(ask("{\"open\": \"relative.png\"}\n").startsWith("not understood"));
    QVERIFY(ask("rubbish\n").startsWith("not understood"));
    QCOMPARE(asked.size(), 1);
  }
};

}  // namespace

ADAMERGE_UI_TEST(TracesTest)

}  // namespace adamerge::ui::test

#include "traces_test.moc"
