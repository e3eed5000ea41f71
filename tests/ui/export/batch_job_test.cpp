// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_job.h"

#include <QElapsedTimer>
#include <QSignalSpy>
#include <QtTest>
#include <fstream>

#include "adamerge/image.h"
#include "adamerge/report.h"
#include "adamerge/trace_file.h"
#include "bench/traces.h"
#include "export_fixture.h"
#include "sample_inspection.h"
#include "sources/embedded_settings.h"
#include "temporary_folder.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

namespace fs = std::filesystem;

constexpr int kLongestMs = 60'000;

/// Runs a plan to its end.
BatchSummary run(const BatchPlan& plan) {
  BatchJob job;
  BatchSummary summary;
  QEventLoop loop;
  QObject::connect(&job, &BatchJob::ended, &loop, [&](const BatchSummary& ended) {
    summary = ended;
    loop.quit();
  });
  QTimer::singleShot(kLongestMs, &loop, &QEventLoop::quit);
  job.start(bundledEngine(), plan);
  loop.exec();
  return summary;
}

QStringList linesOf(const fs::path& path) {
  return QString::fromUtf8(bytesOf(path)).split('\n', Qt::SkipEmptyParts);
}

}  // namespace

class BatchJobTest : public QObject {
  Q_OBJECT
 private:
  /// Three images, two of one name, under two methods.
  BatchPlan plan() const {
    BatchPlan made;
    made.output = folder_->path() / "out";
    made.images = findBatchImages(folder_->path() / "in", made.output);
    made.choices =
        expandRows({{{"adamerge", {}, nullptr, false}, "16"}, {{"tome", {}, nullptr, false}, "8"}});
    made.kinds = {"groups", "layers"};
    made.formats = {FigureFormat::kPng};
    made.style.block = 5;
    made.style.page.dpi = 72;
    return made;
  }

  std::unique_ptr<adamerge::test::TemporaryFolder> folder_;

 private slots:
  void init() {
    folder_ = std::make_unique<adamerge::test::TemporaryFolder>();
    fs::create_directories(folder_->path() / "in/a");
    fs::create_directories(folder_->path() / "in/b");
    fs::copy_file(samplePath("bird"), folder_->path() / "in/a/x.png");
    fs::copy_file(samplePath("ship"), folder_->path() / "in/b/x.png");
    fs::copy_file(samplePath("automobile"), folder_->path() / "in/car.png");
  }

  void writesExactlyTheExpectedFiles() {
    const BatchSummary summary = run(plan());
    QVERIFY2(summary.problem.isEmpty(), qPrintable(summary.problem));
    QCOMPARE(summary.images, 3);
    QCOMPARE(summary.files, 12);
    QVERIFY(summary.skipped.isEmpty() && summary.notes.isEmpty() && summary.table);
    std::vector<std::string> expected{"adamerge-batch.csv"};
    for (const char* stem : {"a/x", "b/x", "car"}) {
      for (const char* method : {"adamerge-r_max-16", "tome-r-8"}) {
        expected.push_back(std::string(stem) + "-" + method + "-groups-block06.png");
        expected.push_back(std::string(stem) + "-" + method + "-layers.png");
      }
    }
    std::sort(expected.begin(), expected.end());
    QCOMPARE(filesBelow(folder_->path() / "out"), expected);
  }

  void theTableHoldsTheCoresNumbers() {
    BatchPlan made = plan();
    made.kinds.clear();
    const BatchSummary summary = run(made);
    QCOMPARE(summary.files, 0);
    const QStringList lines = linesOf(made.table());
    QCOMPARE(lines.size(), 7);
    QCOMPARE(lines[0] + '\n', QString::fromStdString(batchTableHeader()));
    const InspectionPtr bird = inspectSample();
    const QStringList cells = lines[1].split(',');
    QCOMPARE(cells[0], QString("a/x.png"));
    QCOMPARE(cells[1], QString("adamerge"));
    QVERIFY(lines[1].contains("\"AdaMerge, r_max 16\""));
    const std::string line = batchTableLine(
        bird->model->info, {"a/x.png", made.choices[0].method, describe(made.choices[0]),
                            bird->result, *bird->baseline});
    QCOMPARE(lines[1] + '\n', QString::fromStdString(line));
    const Prediction top = topPredictions(bird->result.logits, bird->model->info.labels, 1)[0];
    QVERIFY(line.find("," + top.label + ",") != std::string::npos);
  }

  void imagesOfTracesAreWrittenAsTheyWereRecorded() {
    const InspectionPtr bird = inspectSample({"tome", {{"r", std::int64_t{8}}}, nullptr, false});
    const fs::path trace = folder_->path() / "in/run.adamerge-trace";
    const std::vector<TraceRecord> records(
        2, {"bird.png", &bird->prepared->view, &bird->result, bird->baseline.get()});
    writeTrace(trace, bird->model->info, bird->choice, records, "a test");
    std::ofstream(folder_->path() / "in/cut.adamerge-trace") << "cut";
    for (const char* picture : {"a", "b"}) fs::remove_all(folder_->path() / "in" / picture);
    BatchPlan made = plan();
    made.kinds = {"groups", "rollout"};
    QCOMPARE(made.images.size(), std::size_t{4});
    QCOMPARE(tracedOf(made.images), std::size_t{3});
    QCOMPARE(made.runs(), std::size_t{5});
    const BatchSummary summary = run(made);
    QVERIFY2(summary.problem.isEmpty(), qPrintable(summary.problem));
    QCOMPARE(summary.images, 3);
    QCOMPARE(summary.skipped.size(), 1);
    QVERIFY(summary.skipped[0].contains("cut.adamerge-trace"));
    // Nothing is computed in place of what a trace does not hold.
    QVERIFY(summary.notes.join('\n').contains("holds no run of the network"));
    const std::vector<std::string> files = filesBelow(made.output);
    for (const char* name : {"run-0001-groups-block06.png", "run-0002-groups-block06.png"}) {
      QVERIFY2(std::find(files.begin(), files.end(), name) != files.end(), name);
    }
    const auto text = readProvenance(made.output / "run-0002-groups-block06.png");
    QVERIFY(text && tracedBy(*text)->trace == trace);
    const QStringList lines = linesOf(made.table());
    QCOMPARE(lines.size(), 5);
    QVERIFY(lines[3].startsWith("run.adamerge-trace · 1 bird.png,ToMe,"));
    const std::string line = batchTableLine(
        bird->model->info,
        {"x", bird->choice.method, describe(bird->choice), bird->result, *bird->baseline});
    const QStringList ours = QString::fromStdString(line).split(',');
    const QStringList traced = lines[3].split(',');
    // Tokens, the class and its probability, that of the unmerged model, and whether they agree.
    QCOMPARE(traced.mid(traced.size() - 10, 9), ours.mid(ours.size() - 10, 9));
    // The trace alone, without any picture.
    made.images = findBatchImages(trace, made.output);
    QCOMPARE(made.images.size(), std::size_t{2});
    QCOMPARE(tracedOf(made.images), std::size_t{2});
  }

  void unreadableImagesAreNamedAndSkipped() {
    QFile broken(QString::fromStdString((folder_->path() / "in/broken.jpg").string()));
    QVERIFY(broken.open(QIODevice::WriteOnly));
    broken.write("no picture");
    broken.close();
    const BatchSummary summary = run(plan());
    QCOMPARE(summary.images, 3);
    QCOMPARE(summary.files, 12);
    QCOMPARE(summary.skipped.size(), 1);
    QVERIFY(summary.skipped[0].contains("broken.jpg"));
    QVERIFY(summary.problem.isEmpty());
    QCOMPARE(linesOf(plan().table()).size(), 7);
  }

  void figuresAMethodCannotGiveAreSaidOnce() {
    BatchPlan made = plan();
    made.kinds = {"salience", "layers"};
    made.choices = expandRows({{{"tome", {}, nullptr, false}, "4,8"}});
    const BatchSummary summary = run(made);
    QVERIFY(summary.problem.isEmpty());
    QVERIFY(findMethod("tome").salience.empty());
    QCOMPARE(summary.files, 6);
    QCOMPARE(summary.notes.size(), 1);
    QVERIFY(summary.notes[0].startsWith("ToMe: the salience figure cannot be drawn"));
  }

  void warningsOfRunsAreSaidOnce() {
    BatchPlan made = plan();
    made.kinds.clear();
    made.choices = expandRows({{{"adamerge", {{"alpha", 2.0}}, nullptr, false}, "16"}});
    const BatchSummary summary = run(made);
    const ImageResult alone =
        inspectSample({"adamerge", {{"alpha", 2.0}, {"r_max", std::int64_t{16}}}, nullptr, false})
            ->result;
    QCOMPARE(summary.notes.size(), static_cast<qsizetype>(alone.warnings.size()));
    QVERIFY(!alone.warnings.empty());
    QCOMPARE(summary.notes[0], QString::fromStdString(alone.warnings[0]));
  }

  void cancellingIsQuickAndKeepsWhatIsFinished() {
    for (int copy = 0; copy < 200; ++copy) {
      fs::copy_file(samplePath("ship"),
                    folder_->path() / "in" / ("ship" + std::to_string(copy) + ".png"));
    }
    BatchPlan made = plan();
    made.kinds = {"overview"};
    made.style.page.dpi = 300;
    BatchJob job;
    QSignalSpy progressed(&job, &BatchJob::progressed);
    BatchSummary summary;
    QElapsedTimer since_cancel;
    connect(&job, &BatchJob::ended, this, [&](const BatchSummary& ended) { summary = ended; });
    job.start(bundledEngine(), made);
    QTRY_VERIFY_WITH_TIMEOUT(progressed.count() >= 3, kLongestMs);
    since_cancel.start();
    job.cancel();
    while (job.running() && since_cancel.elapsed() < kLongestMs) QTest::qWait(1);
    qInfo("cancelled after %lld ms", since_cancel.elapsed());
    QVERIFY(!job.running());
    QVERIFY(summary.cancelled);
    QVERIFY(summary.images >= 2 && summary.images < 203);
    QVERIFY(summary.table);
    QCOMPARE(linesOf(made.table()).size(), 1 + summary.runs);
    // What is there is whole.
    for (const std::string& file : filesBelow(made.output)) {
      if (!file.ends_with(".png")) continue;
      QVERIFY2(!QImage(QString::fromStdString((made.output / file).string())).isNull(),
               file.c_str());
    }
  }

  /// For tests/faults/kill.py, which names folders and kills this at random moments.
  void runsAFolder() {
    const QByteArray in = qgetenv("ADAMERGE_BATCH_IN");
    BatchPlan made = plan();
    if (!in.isEmpty()) {
      made.output = qgetenv("ADAMERGE_BATCH_OUT").toStdString();
      made.images = findBatchImages(in.toStdString(), made.output);
    }
    const BatchSummary summary = run(made);
    QVERIFY2(summary.problem.isEmpty(), qPrintable(summary.problem));
    QCOMPARE(summary.images, int(made.images.size()));
    QCOMPARE(linesOf(made.table()).size(), 1 + 2 * summary.images);
  }

  void goesOnWhereAnEarlierRunWasCutOff() {
    const BatchSummary whole = run(plan());
    const QByteArray table = bytesOf(plan().table());
    fs::remove_all(plan().output);
    // Cut off after two images: of the third one nothing is there.
    {
      const auto stop = std::make_shared<std::stop_source>();
      BatchPlan made = plan();
      BatchRunner runner(*bundledEngine(), made, [&](int done, const QString&) {
        if (done == 2) stop->request_stop();
      });
      const BatchSummary cut = runner.run(stop->get_token());
      QVERIFY(cut.cancelled);
      QCOMPARE(cut.images, 2);
    }
    QVERIFY(fs::exists(plan().table().string() + ".partial"));
    const auto written = fs::last_write_time(plan().output / "a/x-tome-r-8-layers.png");
    // One of the finished figures is gone, and is made again with its image.
    fs::remove(plan().output / "b/x-tome-r-8-layers.png");
    const BatchSummary rest = run(plan());
    QVERIFY(!rest.cancelled);
    QCOMPARE(rest.continued, 1);
    QCOMPARE(rest.images, whole.images);
    QCOMPARE(rest.runs, whole.runs);
    QCOMPARE(rest.files, whole.files);
    QCOMPARE(bytesOf(plan().table()), table);
    QCOMPARE(fs::last_write_time(plan().output / "a/x-tome-r-8-layers.png"), written);
    QVERIFY(!fs::exists(plan().table().string() + ".partial"));
  }

  void otherSettingsBeginAnew() {
    BatchPlan made = plan();
    const auto cutOff = [&] {
      std::stop_source stop;
      BatchRunner runner(*bundledEngine(), made, [&](int done, const QString&) {
        if (done == 2) stop.request_stop();
      });
      return runner.run(stop.get_token());
    };
    QCOMPARE(cutOff().continued, 0);
    QCOMPARE(BatchJournal(*bundledEngine(), made).finished(), 2);
    made.style.page.dpi = 96;
    QCOMPARE(BatchJournal(*bundledEngine(), made).finished(), 0);
    QCOMPARE(run(made).continued, 0);
    // A file that is no journal stops nothing.
    QFile file(QString::fromStdString(made.table().string() + ".partial"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("{\"format\":1,\"key\":");
    file.close();
    QCOMPARE(run(made).continued, 0);
  }

  void aFullDiskStopsWithOneSentence() {
    BatchPlan made = plan();
    BatchSummary summary;
    {
      const FullDisk full(2000);
      summary = run(made);
    }
    QVERIFY(summary.problem.contains("cannot be written"));
    QVERIFY(!summary.problem.contains('\n'));
    QCOMPARE(summary.images, 0);
    QVERIFY(summary.skipped.isEmpty());
    if (fs::exists(made.output)) QVERIFY(filesBelow(made.output).empty());
  }

  void progressNamesTheImageAndTheTimeLeft() {
    BatchJob job;
    std::vector<BatchProgress> seen;
    connect(&job, &BatchJob::progressed, this,
            [&](const BatchProgress& progress) { seen.push_back(progress); });
    QSignalSpy ended(&job, &BatchJob::ended);
    job.start(bundledEngine(), plan());
    QVERIFY(job.running());
    QTRY_COMPARE_WITH_TIMEOUT(ended.count(), 1, kLongestMs);
    QCOMPARE(seen.size(), std::size_t{3});
    QCOMPARE(seen[2].done, 2);
    QCOMPARE(seen[2].total, 3);
    QCOMPARE(seen[2].image, QString("car.png"));
    QVERIFY(seen[2].images_per_second > 0 && seen[2].seconds_left > 0);
  }
};

ADAMERGE_UI_TEST(BatchJobTest)

}  // namespace adamerge::ui::test

#include "batch_job_test.moc"
