// SPDX-License-Identifier: GPL-3.0-or-later
#include <QBuffer>
#include <QtTest>
#include <fstream>

#include "adamerge/calibrate.h"
#include "bench_fixture.h"
#include "temporary_folder.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

using adamerge::test::TemporaryFolder;

class LoadersTest : public QObject {
  Q_OBJECT

 private slots:
  void aModelArrivesWithItsDescription() {
    ModelLoader loader;
    QSignalSpy started(&loader, &ModelLoader::started);
    QSignalSpy progressed(&loader, &ModelLoader::progressed);
    LoadedModelPtr model;
    std::shared_ptr<Engine> engine;
    connect(&loader, &ModelLoader::loaded, this,
            [&](const std::shared_ptr<Engine>& e, const LoadedModelPtr& m) {
              engine = e;
              model = m;
            });
    loader.load(bundledModelPath(), {.dtype = "bfloat16"});
    QVERIFY(loader.loading());
    QVERIFY(waitUntil([&] { return model != nullptr; }));
    QVERIFY(!loader.loading());
    QCOMPARE(started.front().front().toString(), QString("vit-tiny-cifar10"));
    QVERIFY(!progressed.isEmpty());
    QCOMPARE(model->info.vit.depth, 12);
    QCOMPARE(model->dtype, std::string("bfloat16"));
    QCOMPARE(model->device, std::string("cpu"));
    QCOMPARE(model->statistics, engine->statistics());
    QCOMPARE(model->unmerged.paper, unmergedFlops(model->info.vit).paper);
    QCOMPARE(loader.options().dtype, std::string("bfloat16"));
  }

  void theNewestLoadWins() {
    ModelLoader loader;
    QSignalSpy failed(&loader, &ModelLoader::failed);
    int loaded = 0;
    connect(&loader, &ModelLoader::loaded, this, [&] { ++loaded; });
    loader.load("/no/such/model");
    for (int i = 0; i < 10; ++i) loader.load(bundledModelPath());
    QVERIFY(waitUntil([&] { return !loader.loading(); }));
    QTest::qWait(100);
    QCOMPARE(loaded, 1);
    QVERIFY(failed.isEmpty());
  }

  void aCancelledLoadStaysSilent() {
    ModelLoader loader;
    QSignalSpy cancelled(&loader, &ModelLoader::cancelled);
    QSignalSpy failed(&loader, &ModelLoader::failed);
    int loaded = 0;
    connect(&loader, &ModelLoader::loaded, this, [&] { ++loaded; });
    loader.load(bundledModelPath());
    loader.cancel();
    QVERIFY(!loader.loading());
    QCOMPARE(cancelled.count(), 1);
    QTest::qWait(300);
    QCOMPARE(loaded, 0);
    QVERIFY(failed.isEmpty());
  }

  void aModelThatIsNoneIsNamed() {
    ModelLoader loader;
    QSignalSpy failed(&loader, &ModelLoader::failed);
    loader.load(samplePath("bird"));
    QVERIFY(waitUntil([&] { return !failed.isEmpty(); }));
    const QString message = failed.front().front().toString();
    QVERIFY2(message.contains("bird.png"), qPrintable(message));
    QVERIFY2(!message.contains('\n'), qPrintable(message));
  }

  void aPictureArrivesDecoded() {
    PictureLoader loader;
    PicturePtr picture;
    connect(&loader, &PictureLoader::loaded, this, [&](const PicturePtr& p) { picture = p; });
    loader.open(samplePath("ship"));
    QVERIFY(waitUntil([&] { return picture != nullptr; }));
    const Image expected = loadImage(samplePath("ship"));
    QCOMPARE(picture->name, QString("ship.png"));
    QCOMPARE(picture->path, samplePath("ship"));
    QVERIFY(picture->original->pixels == expected.pixels);
    QCOMPARE(picture->pixels.format(), QImage::Format_RGB32);
    const std::uint8_t* pixel = expected.at(17, 31);
    QCOMPARE(picture->pixels.pixel(17, 31), qRgb(pixel[0], pixel[1], pixel[2]));
  }

  void theNewestPictureWins() {
    PictureLoader loader;
    std::vector<QString> names;
    connect(&loader, &PictureLoader::loaded, this,
            [&](const PicturePtr& p) { names.push_back(p->name); });
    for (const char* name : {"bird", "ship", "airplane", "automobile"}) {
      loader.open(samplePath(name));
    }
    QVERIFY(waitUntil([&] { return !names.empty(); }));
    QTest::qWait(100);
    QCOMPARE(names, std::vector<QString>{"automobile.png"});
  }

  void bytesOfABrowserAreDecoded() {
    QImage image(5, 3, QImage::Format_RGB32);
    image.fill(QColor(10, 20, 30));
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QVERIFY(image.save(&buffer, "PNG"));
    PictureLoader loader;
    PicturePtr picture;
    QSignalSpy failed(&loader, &PictureLoader::failed);
    connect(&loader, &PictureLoader::loaded, this, [&](const PicturePtr& p) { picture = p; });
    loader.open(bytes, "from the web");
    QVERIFY(waitUntil([&] { return picture != nullptr; }));
    QCOMPARE(picture->pixels.size(), QSize(5, 3));
    QCOMPARE(picture->pixels.pixel(4, 2), qRgb(10, 20, 30));
    QVERIFY(picture->path.empty());

    loader.open(QByteArray("<html>"), "page.png");
    QVERIFY(waitUntil([&] { return !failed.isEmpty(); }));
    QVERIFY(failed.front().front().toString().startsWith("page.png"));
  }

  void alphaIsLaidOverWhite() {
    QImage image(2, 1, QImage::Format_ARGB32);
    image.setPixelColor(0, 0, QColor(0, 0, 0, 0));
    image.setPixelColor(1, 0, QColor(0, 0, 0, 255));
    image.setDevicePixelRatio(2);
    const Image plain = toImage(image);
    QCOMPARE(plain.width, 2);
    const std::vector<std::uint8_t> expected{255, 255, 255, 0, 0, 0};
    QCOMPARE(plain.pixels, expected);
    QCOMPARE(toQImage(plain).pixel(0, 0), qRgb(255, 255, 255));
  }

  void calibrationEqualsTheCores() {
    const auto worker = std::make_shared<Worker>();
    CalibrationTask task(worker);
    QSignalSpy progressed(&task, &CalibrationTask::progressed);
    std::shared_ptr<const Statistics> statistics;
    int skipped = -1;
    connect(&task, &CalibrationTask::finished, this,
            [&](const std::shared_ptr<const Statistics>& s, int, int left_out) {
              statistics = s;
              skipped = left_out;
            });
    const TemporaryFolder folder;
    for (const char* name : {"bird", "ship"}) {
      std::filesystem::copy_file(samplePath(name), folder.path() / (std::string(name) + ".png"));
    }
    std::ofstream(folder.path() / "torn.png") << "not an image";
    CalibrationRequest request{
        folder.path(), 500, {8, 16}, choiceOf("adamerge"), folder.path() / "state.json"};
    task.start(bundledEngine(), request);
    QVERIFY(task.running());
    QVERIFY(waitUntil([&] { return statistics != nullptr; }));
    QVERIFY(!task.running());
    QCOMPARE(skipped, 1);
    QCOMPARE(statistics->images, 2);
    QVERIFY(!progressed.isEmpty());

    CalibrationOptions options;
    options.r_max = {8, 16};
    const auto images = [](std::size_t first, std::size_t count) {
      std::vector<InputTensor> inputs;
      for (const char* name : {"bird", "ship"}) {
        inputs.push_back(
            prepareImage(*samplePicture(name)->original, bundledEngine()->info().preprocessing)
                .input);
      }
      return std::vector(inputs.begin() + static_cast<std::ptrdiff_t>(first),
                         inputs.begin() + static_cast<std::ptrdiff_t>(first + count));
    };
    const Statistics expected = calibrate(*bundledEngine(), images, 2, options);
    QCOMPARE(statistics->entries[1].mu, expected.entries[1].mu);
    QCOMPARE(statistics->entries[1].sigma, expected.entries[1].sigma);
  }

  void aCancelledCalibrationStaysSilent() {
    CalibrationTask task(std::make_shared<Worker>());
    QSignalSpy cancelled(&task, &CalibrationTask::cancelled);
    int others = 0;
    connect(&task, &CalibrationTask::finished, this, [&] { ++others; });
    connect(&task, &CalibrationTask::failed, this, [&] { ++others; });
    const TemporaryFolder folder;
    CalibrationRequest request{
        ADAMERGE_SAMPLES, 500, {4, 8, 16}, choiceOf("adamerge"), folder.path() / "state.json"};
    task.start(bundledEngine(), request);
    QTest::qWait(50);
    task.cancel();
    QVERIFY(!task.running());
    QCOMPARE(cancelled.count(), 1);
    QTest::qWait(300);
    QCOMPARE(others, 0);
  }
};

}  // namespace

ADAMERGE_UI_TEST(LoadersTest)

}  // namespace adamerge::ui::test

#include "loaders_test.moc"
