// SPDX-License-Identifier: GPL-3.0-or-later
// The evaluation panel in the real window: points as they are measured, stopping and going on, what
// is refused.
#include <QtTest>
#include <QtWidgets>
#include <filesystem>

#include "adamerge/error.h"
#include "adamerge/evaluate.h"
#include "evaluation/evaluation_panel.h"
#include "evaluation/results_model.h"
#include "evaluation/results_page.h"
#include "look/message.h"
#include "measured_images.h"
#include "plots/accuracy_plot.h"
#include "ui_test.h"
#include "window/actions.h"
#include "window/docks.h"
#include "window_fixture.h"

namespace adamerge::ui::test {
namespace {

namespace fs = std::filesystem;

constexpr int kEvaluationPatience = 180'000;
constexpr int kMany = 24;  ///< images of a set that is stopped halfway

QString number(double value, int decimals) { return QString::number(value, 'f', decimals); }

}  // namespace

class EvaluationTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    // Where what is kept goes.
    qputenv("XDG_DATA_HOME", folder_.filePath("data").toUtf8());
    adamerge::test::makeClassFolders(few());
    adamerge::test::writeBytes(few() / "BIRD" / "broken.png", "no picture");
    std::vector<int> labels;
    for (int image = 0; image < kMany; ++image) labels.push_back(image % 10);
    adamerge::test::writeCifarBatch(many(), labels);
  }

  void init() { QDir(folder_.filePath("data")).removeRecursively(); }

  void settingsFitTheirPanel() {
    WindowFixture shown(freshAdaMerge());
    shown.window().resize(1440, 900);
    shown.find<QDockWidget>("evaluation").raise();
    QCoreApplication::processEvents();
    const auto& page = shown.find<EvaluationPanel>("evaluation-panel");
    int seen = 0;
    for (const auto* one : page.findChildren<QWidget*>()) {
      if (!one->isVisible()) continue;
      ++seen;
      const int right = one->mapTo(&page, QPoint(one->width(), 0)).x();
      QVERIFY2(right <= page.width(), qPrintable(one->objectName()));
    }
    QVERIFY(seen > 20);
  }

  void measuresWhatTheCoreDoes() {
    Shown shown(*this, fewSetup());
    QSignalSpy interim(&shown.task(), &EvaluationTask::measured);
    shown.press("evaluation-start");
    QVERIFY(shown.task().running());
    QVERIFY(!shown.find<QLineEdit>("evaluation-data").isEnabled());
    QVERIFY(shown.awaitEnd());
    const Evaluation expected = shown.direct();
    auto* model = shown.table().model();
    QCOMPARE(model->rowCount(), static_cast<int>(expected.points.size()));
    for (int row = 0; row < model->rowCount(); ++row) {
      const AccuracyPoint& point = expected.points[static_cast<std::size_t>(row)].accuracy;
      const auto cell = [&](int column) { return model->index(row, column).data().toString(); };
      QCOMPARE(cell(ResultsModel::kMethod), QString::fromStdString(findMethod(point.method).label));
      QCOMPARE(cell(ResultsModel::kFlops), number(point.flops.paper, 3));
      QCOMPARE(cell(ResultsModel::kKl), row == 0 ? QString() : number(*point.kl_divergence, 4));
      QCOMPARE(cell(ResultsModel::kQuality),
               QString("%1  (%2–%3)")
                   .arg(number(*point.top1, 2), number(point.top1_interval->low, 1),
                        number(point.top1_interval->high, 1)));
    }
    QCOMPARE(shown.skipped(), QString("1 image could not be read and is left out: "
                                      "BIRD/broken.png."));
    QVERIFY2(shown.notice().startsWith("12 images measured"), qPrintable(shown.notice()));

    // The same points stand in the plot, with their intervals.
    const PlotContent& content = shown.plot().content();
    const auto series = std::find_if(content.series.begin(), content.series.end(),
                                     [](const auto& one) { return one.name == "ToMe"; });
    QVERIFY(series != content.series.end());
    QCOMPARE(series->points.size(), std::size_t{2});
    for (const PlotPoint& point : series->points) QVERIFY(point.interval.has_value());
    QCOMPARE(series->points.back().y,
             *expected.points[2].accuracy.top1 - *expected.points[0].accuracy.top1);
    QVERIFY(content.note.contains("12 images"));
  }

  void aRowShowsItsSettingAndIsCopied() {
    Shown shown(*this, fewSetup());
    shown.press("evaluation-start");
    QVERIFY(shown.awaitEnd());
    ResultsTable& table = shown.table();
    const QModelIndex index = table.model()->index(3, 0);
    QCOMPARE(table.model()->index(3, ResultsModel::kSetting).data().toString(), QString("r 14"));
    table.scrollTo(index);
    QTest::mouseClick(table.viewport(), Qt::LeftButton, {}, table.visualRect(index).center());
    QCOMPARE(shown.fixture.pane().choice().method, std::string("tome"));
    QCOMPARE(shown.fixture.pane().compression(), 14);
    table.setFocus();
    QTest::keyClick(&table, Qt::Key_C, Qt::ControlModifier);
    const QStringList lines = QGuiApplication::clipboard()->text().trimmed().split('\n');
    QCOMPARE(lines.size(), 2);
    QVERIFY2(lines[1].startsWith("ToMe\tr 14\t"), qPrintable(lines[1]));
    table.clearSelection();
    QCOMPARE(table.copied().trimmed().split('\n').size(), 5);
  }

  void stoppingKeepsAndContinuingDoesNotRepeat() {
    const QString file = folder_.filePath("stopped.ini");
    qint64 kept = 0;
    {
      Shown shown(*this, manySetup(), file);
      shown.stopOnceMeasured();
      QSignalSpy ended(&shown.task(), &EvaluationTask::ended);
      shown.press("evaluation-start");
      QVERIFY(shown.awaitEnd());
      const auto report = ended.back().front().value<EvaluationReportPtr>();
      QVERIFY(report != nullptr);
      kept = static_cast<qint64>(report->evaluation.done);
      QVERIFY(kept > 0 && kept < kMany);
      QVERIFY2(
          shown.notice().startsWith(QString("Stopped after %1 of %2 images").arg(kept).arg(kMany)),
          qPrintable(shown.notice()));
      QCOMPARE(shown.button("evaluation-start").text(), QString("&Continue"));
      shown.fixture.window().close();
    }
    // After a restart too.
    Shown again(*this, std::nullopt, file);
    QCOMPARE(again.panel().setup(), manySetup());
    QCOMPARE(again.button("evaluation-start").text(), QString("&Continue"));
    QSignalSpy progress(&again.task(), &EvaluationTask::progressed);
    QSignalSpy ended(&again.task(), &EvaluationTask::ended);
    again.press("evaluation-start");
    QVERIFY(again.awaitEnd());
    QCOMPARE(progress.front().front().toLongLong(), kept);
    const auto report = ended.back().front().value<EvaluationReportPtr>();
    QVERIFY(report->evaluation.complete());
    QCOMPARE(static_cast<qint64>(report->evaluation.continued), kept);
    QCOMPARE(report->evaluation.images(), kMany);
    const Evaluation whole = again.direct();
    for (std::size_t i = 0; i < whole.points.size(); ++i) {
      QCOMPARE(report->evaluation.points[i].accuracy.top1, whole.points[i].accuracy.top1);
      QCOMPARE(report->evaluation.points[i].accuracy.flops.paper,
               whole.points[i].accuracy.flops.paper);
      QCOMPARE(report->evaluation.points[i].right, whole.points[i].right);
    }
    QVERIFY(!again.button("evaluation-start").isEnabled());
    QVERIFY(again.button("evaluation-anew").isVisible());
  }

  void theSliderIsAnsweredMeanwhile() {
    Shown shown(*this, manySetup());
    QVERIFY(shown.fixture.settle());
    shown.press("evaluation-start");
    QSignalSpy progress(&shown.task(), &EvaluationTask::progressed);
    QTRY_VERIFY_WITH_TIMEOUT(!progress.isEmpty(), kEvaluationPatience);
    for (const int count : {3, 5, 7}) {
      shown.fixture.workbench().setCompression(0, count);
      QVERIFY(shown.fixture.settle());
      QCOMPARE(compressionShown(shown), count);
    }
    // It was not given up for that.
    QVERIFY(shown.task().running() || shown.notice().startsWith("24 images measured"));
  }

  void theWindowMayCloseMeanwhile() {
    {
      Shown shown(*this, manySetup());
      QSignalSpy progress(&shown.task(), &EvaluationTask::progressed);
      shown.press("evaluation-start");
      QTRY_VERIFY_WITH_TIMEOUT(!progress.isEmpty() && progress.back().front().toLongLong() > 0,
                               kEvaluationPatience);
      shown.fixture.window().close();
    }
    Shown again(*this, manySetup());
    QCOMPARE(again.button("evaluation-start").text(), QString("&Continue"));
  }

  void anotherCalibrationStopsIt() {
    Shown shown(*this, manySetup());
    QSignalSpy progress(&shown.task(), &EvaluationTask::progressed);
    shown.press("evaluation-start");
    QTRY_VERIFY_WITH_TIMEOUT(!progress.isEmpty() && progress.back().front().toLongLong() > 0,
                             kEvaluationPatience);
    auto statistics = std::make_shared<Statistics>(*shown.fixture.workbench().model()->statistics);
    statistics->entries.front().mu.front() += 0.01;
    shown.fixture.workbench().useStatistics(statistics);
    QVERIFY(shown.awaitEnd());
    QVERIFY2(shown.notice().contains("its calibration changed"), qPrintable(shown.notice()));
  }

  void otherImagesAreRefusedAndMeasuredAnew() {
    const fs::path images = folder_.filePath("grows").toStdString();
    adamerge::test::makeClassFolders(images);
    EvaluationSetup setup = fewSetup();
    setup.data = images;
    setup.methods = {"tome"};
    setup.r = "8";
    Shown shown(*this, setup);
    shown.press("evaluation-start");
    QVERIFY(shown.awaitEnd());
    fs::copy_file(images / "ship" / "drawn.png", images / "BIRD" / "another.png");
    // As after a restart: this window knows that it was finished.
    setup.r = "9";
    shown.panel().setSetup(setup);
    setup.r = "8";
    shown.panel().setSetup(setup);
    shown.press("evaluation-anew");
    QVERIFY(shown.awaitEnd());
    QVERIFY2(shown.notice().startsWith("13 images measured"), qPrintable(shown.notice()));

    Shown later(*this, setup);
    fs::remove(images / "BIRD" / "another.png");
    later.press("evaluation-start");
    QVERIFY(later.awaitEnd());
    QVERIFY2(later.notice().contains("other images"), qPrintable(later.notice()));
    QVERIFY(later.notice().contains("13 images"));
    QPushButton* anew = nullptr;
    for (auto* button : later.panel().findChildren<QPushButton*>()) {
      if (button->text() == "Start anew" && button->isVisible()) anew = button;
    }
    QVERIFY(anew != nullptr);
    QTest::mouseClick(anew, Qt::LeftButton);
    QVERIFY(later.awaitEnd());
    QVERIFY2(later.notice().startsWith("12 images measured"), qPrintable(later.notice()));
  }

  void setsThatCannotBeMeasuredAreNamed() {
    QTemporaryDir empty;
    EvaluationSetup setup = fewSetup();
    setup.data = empty.path().toStdString();
    Shown shown(*this, setup);
    // Said before anything is started.
    QTRY_VERIFY_WITH_TIMEOUT(shown.notice().contains(empty.path()), kEvaluationPatience);
    shown.press("evaluation-start");
    QVERIFY(shown.awaitEnd());
    QVERIFY2(shown.notice().contains(empty.path()), qPrintable(shown.notice()));
    QVERIFY(shown.button("evaluation-start").isEnabled());
    setup.r = "many";
    shown.panel().setSetup(setup);
    QVERIFY(!shown.button("evaluation-start").isEnabled());
    QVERIFY(shown.find<QLabel>("evaluation-text").text().contains("many"));
    setup.data.clear();
    shown.panel().setSetup(setup);
    QCOMPARE(shown.find<QLabel>("evaluation-text").text(), QString("Choose a folder of images."));
  }

  /// What hangs on the model is the opened one's, not that of twelve blocks and 196 patches.
  void defaultsAreTheModels() {
    VitConfig large;
    large.patch_size = 16;
    large.input_height = large.input_width = 384;
    large.depth = 24;
    EvaluationSetup setup = fewSetup();
    setup.methods = {"prunesid"};
    const Settings settings = makeRequest(setup, {}, large).methods.front().settings;
    QCOMPARE(std::get<std::int64_t>(settings.at("at")), 12);
    QCOMPARE(std::get<std::int64_t>(settings.at("keep")), 288);
  }

  void tellsBeforehandWhatItWouldDo() {
    EvaluationSetup setup = fewSetup();
    setup.limit = 5;
    Shown shown(*this, setup);
    const auto text = [&] { return shown.find<QLabel>("evaluation-text").text(); };
    QTRY_VERIFY_WITH_TIMEOUT(text().startsWith("4 points · 5 of 13 images · "),
                             kEvaluationPatience);
  }

  void tiersAndUnlabelledImages() {
    EvaluationSetup setup = fewSetup();
    setup.unlabelled = true;
    setup.by_flops = true;
    setup.flops = "0.96";
    setup.canvases = true;
    Shown shown(*this, setup);
    shown.fixture.workbench().edit(0, {"pitome", {{"r", std::int64_t{5}}}, nullptr, false}, "test");
    shown.press("evaluation-start");
    QVERIFY(shown.awaitEnd());
    auto* model = shown.table().model();
    QCOMPARE(model->headerData(ResultsModel::kQuality, Qt::Horizontal, Qt::DisplayRole).toString(),
             QString("Agreement %"));
    QVERIFY(shown.table().isColumnHidden(ResultsModel::kDifference));
    // Unmerged, three methods at 0.96 G, and the canvas's own point.
    QCOMPARE(model->rowCount(), 5);
    for (int row = 1; row < 4; ++row) {
      const double flops = model->index(row, ResultsModel::kFlops).data().toDouble();
      QVERIFY2(std::abs(flops - 0.96) < 0.05, qPrintable(QString::number(flops)));
    }
    QCOMPARE(model->index(4, ResultsModel::kSetting).data().toString(), QString("r 5"));
  }

  void resultsAreSavedAsTheModelsRecord() {
    const fs::path model = folder_.filePath("small").toStdString();
    const fs::path bundled = fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";
    fs::create_directory(model);
    fs::create_symlink(bundled / "model.safetensors", model / "model.safetensors");
    fs::copy_file(bundled / "config.json", model / "config.json");
    Shown shown(*this, fewSetup());
    shown.fixture.workbench().models().load(model);
    QTRY_COMPARE_WITH_TIMEOUT(shown.fixture.workbench().model()->info.source, model,
                              kEvaluationPatience);
    shown.press("evaluation-start");
    QVERIFY(shown.awaitEnd());
    QVERIFY(shown.plot().content().note.contains("small"));
    shown.panel().results().save(model / "results.json");
    const AccuracyRecord record = readAccuracyRecord(model / "results.json");
    QCOMPARE(record.images, 12);
    QCOMPARE(record.points.size(), std::size_t{4});
    QVERIFY2(record.command.starts_with("adamerge evaluate "), record.command.c_str());
    // The plot has read it.
    const auto boxes = shown.plot().findChildren<QCheckBox*>();
    QVERIFY(std::any_of(boxes.begin(), boxes.end(), [](const QCheckBox* box) {
      return box->text() == "&Record" && !box->isHidden();
    }));
    shown.panel().results().save(model / "table.csv");
    QFile csv(QString::fromStdString((model / "table.csv").string()));
    QVERIFY(csv.open(QIODevice::ReadOnly));
    QCOMPARE(csv.readAll().count("\r\n"), 5);
    shown.panel().results().save("/proc/nowhere/results.json");
    QTRY_VERIFY(pageNotice(shown).contains("/proc/nowhere"));
  }

 private:
  fs::path few() const { return folder_.filePath("few").toStdString(); }
  fs::path many() const { return folder_.filePath("many.bin").toStdString(); }

  EvaluationSetup fewSetup() const {
    EvaluationSetup setup = EvaluationSetup::standard();
    setup.data = few();
    setup.limit = 0;
    setup.methods = {"adamerge", "tome"};
    setup.r_max = "16";
    setup.r = "8:14:6";
    return setup;
  }
  EvaluationSetup manySetup() const {
    EvaluationSetup setup = fewSetup();
    setup.data = many();
    setup.methods = {"tome"};
    setup.r = "12";
    setup.flops = "1";
    return setup;
  }

  /// A window with the panel in front.
  struct Shown {
    Shown(const EvaluationTest& test, std::optional<EvaluationSetup> wanted,
          const QString& file = {})
        : fixture({}, file.isEmpty() ? test.folder_.filePath("studio.ini") : file) {
      if (!fixture.settle()) qFatal("no model");
      fixture.window().actions().evaluate->trigger();
      if (wanted) panel().setSetup(*wanted);
    }
    EvaluationPanel& panel() { return fixture.window().docks().evaluation(); }
    EvaluationTask& task() { return fixture.workbench().evaluation(); }
    template <typename Widget>
    Widget& find(const char* name) {
      return fixture.find<Widget>(QString::fromLatin1(name));
    }
    QPushButton& button(const char* name) { return find<QPushButton>(name); }
    void press(const char* name) { QTest::mouseClick(&button(name), Qt::LeftButton); }
    ResultsTable& table() { return find<ResultsTable>("evaluation-results"); }
    AccuracyPlot& plot() { return *fixture.window().findChild<AccuracyPlot*>(); }
    bool awaitEnd() {
      return QTest::qWaitFor([this] { return !task().running(); }, kEvaluationPatience);
    }
    /// Of the run; those of the page stand elsewhere.
    QString notice() {
      for (auto* notice : panel().findChildren<MessageLine*>(Qt::FindDirectChildrenOnly)) {
        return notice->text();
      }
      return {};
    }
    QString skipped() { return panel().results().findChildren<MessageLine*>().front()->text(); }
    void stopOnceMeasured() {
      QObject::connect(&task(), &EvaluationTask::progressed, &panel(), [this](qint64 done) {
        if (done > 0 && !task().stopping()) press("evaluation-stop");
      });
    }
    Evaluation direct() {
      const EvaluationRequest request =
          makeRequest(panel().setup(), fixture.workbench().shownChoices(),
                      fixture.workbench().model()->info.vit);
      const Engine& engine = *fixture.workbench().engine();
      return evaluate(engine, Dataset::open(request.data, engine.info(), request.dataset),
                      countedChoices(request));
    }

    WindowFixture fixture;
  };

  static int compressionShown(Shown& shown) {
    const Settings& settings = shown.fixture.pane().inspection()->choice.settings;
    return static_cast<int>(std::get<std::int64_t>(settings.find("r_max")->second));
  }
  static QString pageNotice(Shown& shown) {
    return shown.panel().results().findChildren<MessageLine*>().back()->text();
  }

  QTemporaryDir folder_;
};

ADAMERGE_UI_TEST(EvaluationTest)

}  // namespace adamerge::ui::test

#include "evaluation_test.moc"
