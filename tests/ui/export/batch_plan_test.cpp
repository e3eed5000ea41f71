// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_plan.h"

#include <QtTest>
#include <set>

#include "export/export_plan.h"
#include "export_fixture.h"
#include "sample_inspection.h"
#include "temporary_folder.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

namespace fs = std::filesystem;

MethodChoice choice(const std::string& method) { return {method, {}, nullptr, false}; }

std::vector<std::int64_t> countsOf(const std::vector<MethodChoice>& choices, const char* key) {
  std::vector<std::int64_t> counts;
  for (const MethodChoice& one : choices) {
    counts.push_back(std::get<std::int64_t>(one.settings.find(key)->second));
  }
  return counts;
}

}  // namespace

class BatchPlanTest : public QObject {
  Q_OBJECT
 private slots:
  void aRowBecomesOneChoiceForEachValue() {
    MethodChoice base = choice("adamerge");
    base.settings["alpha"] = 2.0;
    const auto choices = expandRow({base, " 8, 12,16 ,"});
    QCOMPARE(countsOf(choices, "r_max"), (std::vector<std::int64_t>{8, 12, 16}));
    for (const MethodChoice& one : choices) {
      QCOMPARE(std::get<double>(one.settings.find("alpha")->second), 2.0);
    }
    QCOMPARE(expandRow({choice("none"), "8"}).size(), std::size_t{1});
  }

  void doubledChoicesRunOnce() {
    QCOMPARE(expandRows({{choice("tome"), "4,8,4"}, {choice("tome"), "8"}}).size(), std::size_t{2});
  }

  void wrongValuesAreNamed() {
    QVERIFY(errorOf([] {
              expandRow({choice("tome"), "8, many"});
            }).contains("such as 8, 12, 16, not “many”"));
    QVERIFY(!errorOf([] { expandRow({choice("tome"), "-3"}); }).isEmpty());
    QVERIFY(!errorOf([] { expandRow({choice("tome"), "8.5"}); }).isEmpty());
    QVERIFY(!errorOf([] { expandRow({choice("tome"), " , "}); }).isEmpty());
    QVERIFY(!errorOf([] { expandRows({}); }).isEmpty());
  }

  void imagesOfOneNameKeepApart() {
    const adamerge::test::TemporaryFolder folder;
    for (const char* name : {"a/x.png", "b/x.png", "x.png", "x.PNG", "x-2.png"}) {
      fs::create_directories((folder.path() / name).parent_path());
      fs::copy_file(samplePath("bird"), folder.path() / name);
    }
    std::set<fs::path> stems;
    for (const BatchImage& image : findBatchImages(folder.path(), folder.path() / "out")) {
      stems.insert(image.stem);
    }
    QCOMPARE(stems.size(), std::size_t{5});
    QVERIFY(stems.contains("a/x"));
    QVERIFY(stems.contains("b/x"));
  }

  void figuresOfAnEarlierBatchAreNoImages() {
    const adamerge::test::TemporaryFolder folder;
    fs::create_directories(folder.path() / "out/deep");
    fs::copy_file(samplePath("bird"), folder.path() / "bird.png");
    fs::copy_file(samplePath("bird"), folder.path() / "out/deep/old.png");
    const auto images = findBatchImages(folder.path(), folder.path() / "out");
    QCOMPARE(images.size(), std::size_t{1});
    QCOMPARE(images[0].name, std::string("bird.png"));
    fs::remove(folder.path() / "bird.png");
    QVERIFY(!errorOf([&] { findBatchImages(folder.path(), folder.path() / "out"); }).isEmpty());
  }

  void everyFileHasANameOfItsOwn() {
    BatchPlan plan;
    plan.output = "/out";
    plan.images = {{"/i/a.png", "a.png", "a"}, {"/i/b/a.png", "b/a.png", "b/a"}};
    plan.choices = expandRows({{choice("adamerge"), "8,12"}, {choice("tome"), "8"}});
    for (const FigureKind& kind : figureKinds()) plan.kinds.push_back(kind.id);
    plan.formats = {FigureFormat::kPng, FigureFormat::kSvg, FigureFormat::kPdf};
    plan.style.block = 5;
    const std::vector<fs::path> files = plan.files();
    QCOMPARE(files.size(), 1 + 2 * 3 * 3 * figureKinds().size());
    QCOMPARE(std::set<fs::path>(files.begin(), files.end()).size(), files.size());
    QVERIFY(std::count(files.begin(), files.end(),
                       fs::path("/out/b/a-tome-r-8-groups-block06.svg")) == 1);
    QVERIFY(std::count(files.begin(), files.end(),
                       fs::path("/out/a-adamerge-r_max-12-overview.pdf")) == 1);
  }

  void fileNamesAreFilledInAndSafe() {
    const FileNameParts parts{"ice bear", "groups", 5, "vit", "tome", "ToMe, r 8"};
    QCOMPARE(expandFileName(defaultFileName(), parts), QString("ice bear-groups-block06"));
    QCOMPARE(expandFileName("{settings}", parts), QString("tome-r-8"));
    QCOMPARE(expandFileName("../a/b:c", parts), QString("_a_b_c"));
    QCOMPARE(expandFileName("-rf", parts), QString("rf"));
    QCOMPARE(expandFileName("{figure", parts), QString("{figure"));
    QCOMPARE(expandFileName("...", parts), QString("figure"));
    QVERIFY(expandFileName(QString(400, QChar(0x00fc)), parts).toUtf8().size() <= 180);
    QCOMPARE(unknownPlace("{image}-{figur}"), QString("figur"));
    QVERIFY(unknownPlace(defaultFileName()).isNull());
  }
};

ADAMERGE_UI_TEST(BatchPlanTest)

}  // namespace adamerge::ui::test

#include "batch_plan_test.moc"
