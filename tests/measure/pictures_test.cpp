// SPDX-License-Identifier: GPL-3.0-or-later
// Rows of each image: what they hold, that stops and lanes leave no mark, what is refused; and what
// is read from them, against SciPy 1.17.
#include "adamerge/pictures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <numeric>

#include "adamerge/image.h"
#include "adamerge/picture_figures.h"
#include "error_message.h"
#include "measured_images.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string contentOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class PictureRowsTest : public testing::Test {
 protected:
  void SetUp() override {
    test::makeClassFolders(images_);
    test::writeBytes(images_ / "BIRD" / "broken.png", "no picture");
    test::writeBytes(images_ / "ship" / "a, \"b\".ppm",
                     contentOf(images_ / "ship" / "pattern 0.ppm"));
  }

  Dataset open() const { return Dataset::open(images_, test::bundledEngine().info()); }

  Evaluation run(std::int64_t stop_after = 1000, std::size_t batch = 3, int lanes = 1) const {
    std::stop_source stop;
    const auto progress = [&](const Progress& now) {
      if (now.done >= stop_after) stop.request_stop();
    };
    EvaluationOptions options{.batch = batch, .lanes = lanes, .state = state_};
    options.pictures = rows_;
    return evaluate(test::bundledEngine(), open(), choices_, options, progress, stop.get_token());
  }

  test::TemporaryFolder folder_;
  fs::path images_ = folder_.path() / "images";
  fs::path state_ = folder_.path() / "out.json.partial";
  fs::path rows_ = folder_.path() / "rows.csv";
  std::vector<MeasuredChoice> choices_ = {
      {{"adamerge", {{"r_max", std::int64_t{16}}}, nullptr, false}, std::nullopt},
      {{"tome", {{"r", std::int64_t{14}}}, nullptr, false}, std::nullopt}};
};

TEST_F(PictureRowsTest, HoldWhatTheTotalsAreMadeOf) {
  const Evaluation evaluation = run();
  const auto file = PictureFile::open(rows_);
  ASSERT_EQ(file->pictures(), 13U);
  ASSERT_EQ(file->choices().size(), 3U);
  EXPECT_EQ(file->depth(), 12);
  EXPECT_TRUE(file->labelled());
  EXPECT_EQ(file->model(), "vit-tiny-cifar10");
  EXPECT_EQ(file->dataset(), images_);
  EXPECT_EQ(std::get<std::int64_t>(file->choices()[2].settings.at("r")), 14);
  std::set<std::string> names;
  for (std::size_t point = 0; point < 3; ++point) {
    const EvaluatedPoint& expected = evaluation.points[point];
    double right = 0;
    double merged = 0;
    double cosine = 0;
    double flops = 0;
    for (std::size_t picture = 0; picture < file->pictures(); ++picture) {
      const PictureRow row = file->row(picture, point);
      names.insert(row.image);
      const PictureFile::Outcome& outcome = file->outcome(picture, point);
      right += outcome.right ? 1 : 0;
      merged += outcome.merged;
      cosine += *row.logit_cosine;
      flops += row.flops;
      EXPECT_EQ(std::accumulate(row.merged.begin(), row.merged.end(), 0), outcome.merged);
      ASSERT_EQ(row.top.size(), 5U);
      EXPECT_GE(row.top[0].probability, row.top[1].probability);
      EXPECT_EQ(outcome.right, row.top[0].index == row.label);
      if (outcome.right) {
        EXPECT_NEAR(*row.class_probability, row.top[0].probability, 1e-6);
      }
      EXPECT_EQ(file->className(row.label), row.label_name);
    }
    EXPECT_NEAR(100 * right / 13, *expected.accuracy.top1, 1e-9);
    EXPECT_NEAR(merged / 13, *expected.accuracy.merged_mean, 1e-9);
    EXPECT_NEAR(cosine / 13, *expected.logit_cosine, 1e-5);
    EXPECT_NEAR(flops / 13, expected.accuracy.flops.paper, 1e-8);
  }
  EXPECT_TRUE(names.contains("ship/a, \"b\".ppm"));
  EXPECT_FALSE(names.contains("BIRD/broken.png"));
}

TEST_F(PictureRowsTest, TellOfEachImageWhatARunOfItTells) {
  run();
  const auto file = PictureFile::open(rows_);
  const Engine& engine = test::bundledEngine();
  const PreparedImage prepared = prepareImage(file->load(5), engine.info().preprocessing);
  const ImageResult alone =
      engine.run(std::span(&prepared.input, 1), choices_[0].choice, {.trace = false}).front();
  const std::vector<Prediction> top = topPredictions(alone.logits, engine.info().labels, 5);
  const PictureRow row = file->row(5, 1);
  for (std::size_t place = 0; place < 5; ++place) {
    EXPECT_EQ(row.top[place].index, top[place].index);
    EXPECT_NEAR(row.top[place].probability, top[place].probability, 1e-5);
  }
  for (std::size_t block = 0; block < 12; ++block) {
    EXPECT_EQ(row.merged[block], alone.layers[block].merged);
  }
  const Complexity complexity = complexityOf(prepared.view);
  EXPECT_NEAR(row.complexity.edges, complexity.edges, 1e-6);
  EXPECT_NEAR(row.complexity.entropy, complexity.entropy, 1e-5);
}

TEST_F(PictureRowsTest, AreTheSameWhereverTheRunWasStopped) {
  run();
  const std::string whole = contentOf(rows_);
  for (const std::int64_t stop_after : {3, 9}) {
    fs::remove(state_);
    fs::remove(rows_);
    EXPECT_FALSE(run(stop_after).complete());
    // Rows that were written after the last save, half a row too, as a crash leaves them.
    std::ofstream(rows_, std::ios::app | std::ios::binary) << "\"ship/half";
    EXPECT_TRUE(run(1000, 5, 2).complete());
    EXPECT_EQ(contentOf(rows_), whole);
  }
}

TEST_F(PictureRowsTest, AStateWithoutThemOrWithOthersIsRefused) {
  EvaluationOptions options{.batch = 3, .state = state_};
  std::stop_source stop;
  evaluate(
      test::bundledEngine(), open(), choices_, options,
      [&](const Progress& now) {
        if (now.done >= 3) stop.request_stop();
      },
      stop.get_token());
  EXPECT_THAT(test::errorMessage([&] { run(); }),
              AllOf(HasSubstr("without a row of every image"), HasSubstr("out.json.partial")));
  fs::remove(state_);
  run(3);
  const std::string kept = contentOf(rows_);
  test::writeBytes(rows_, kept.substr(0, kept.size() - 20));
  EXPECT_THAT(test::errorMessage([&] { run(); }),
              AllOf(HasSubstr("not all there"), HasSubstr("rows.csv")));
}

TEST_F(PictureRowsTest, NameImagesThatMovedOrChanged) {
  run();
  const auto file = PictureFile::open(rows_);
  std::size_t moved = 0;
  std::size_t changed = 0;
  for (std::size_t picture = 0; picture < file->pictures(); ++picture) {
    if (file->imageName(picture) == "ship/drawn.png") moved = picture;
    if (file->imageName(picture) == "ship/pattern 1.ppm") changed = picture;
  }
  fs::rename(images_ / "ship" / "drawn.png", images_ / "ship" / "elsewhere.png");
  fs::copy_file(images_ / "ship" / "pattern 0.ppm", images_ / "ship" / "pattern 1.ppm",
                fs::copy_options::overwrite_existing);
  EXPECT_THAT(test::errorMessage([&] { file->load(moved); }),
              AllOf(HasSubstr("drawn.png"), HasSubstr("no such file")));
  EXPECT_THAT(test::errorMessage([&] { file->load(changed); }),
              AllOf(HasSubstr("pattern 1.ppm"), HasSubstr("another picture")));
}

/// mu far from the redundancy of any image: every block merges all it may.
std::shared_ptr<const Statistics> otherStatistics() {
  auto other = std::make_shared<Statistics>(*test::bundledEngine().statistics());
  for (StatisticsEntry& entry : other->entries) {
    for (double& mu : entry.mu) mu -= 100;
  }
  return other;
}

TEST_F(PictureRowsTest, GoWithTheStatisticsThatWereUsed) {
  const Engine& engine = test::bundledEngine();
  choices_[1].choice = choices_[0].choice;
  choices_[1].choice.settings["r_max"] = std::int64_t{17};
  choices_[1].choice.statistics = otherStatistics();
  EvaluationOptions options;
  options.pictures = rows_;
  evaluate(engine, open().sample(1, 0), choices_, options);
  const auto merged = [](const PictureFile& file, std::size_t point) {
    return file.outcome(0, point).merged;
  };
  const auto file = PictureFile::open(rows_);
  EXPECT_EQ(file->choices()[1].statistics, nullptr);
  ASSERT_NE(file->choices()[2].statistics, nullptr);
  EXPECT_EQ(file->choices()[2].statistics->entries[0].mu, otherStatistics()->entries[0].mu);
  for (const std::size_t point : {0U, 1U, 2U}) {
    EXPECT_EQ(file->statisticsProblem(point, engine), "");
    const PreparedImage prepared = prepareImage(file->load(0), engine.info().preprocessing);
    int again = 0;
    const auto result = engine.run(std::span(&prepared.input, 1), file->choices()[point]);
    for (const LayerTrace& layer : result.front().layers) again += layer.merged;
    EXPECT_EQ(again, merged(*file, point)) << point;
  }
  EXPECT_GT(merged(*file, 2), merged(*file, 1) + 17);

  // Without them, or with others in their place, that is said.
  std::vector<fs::path> beside;
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    if (entry.path().string().ends_with(".stats.json")) beside.push_back(entry.path());
  }
  ASSERT_EQ(beside.size(), 1U);
  const auto problem = [&](std::size_t point) {
    return PictureFile::open(rows_)->statisticsProblem(point, engine);
  };
  writeStatistics(*engine.statistics(), beside[0]);
  EXPECT_THAT(problem(2), AllOf(HasSubstr("AdaMerge, r_max 17"), HasSubstr("differ"),
                                HasSubstr(beside[0].filename().string())));
  fs::remove(beside[0]);
  EXPECT_THAT(problem(2), HasSubstr("other layer statistics"));
  EXPECT_EQ(PictureFile::open(rows_)->choices()[2].statistics, nullptr);
  EXPECT_EQ(problem(1), "");
}

TEST(PictureRows, OfBinaryFilesAreFoundAgain) {
  const test::TemporaryFolder folder;
  const fs::path batch = folder.path() / "test_batch.bin";
  test::writeCifarBatch(batch, {0, 1, 2});
  EvaluationOptions options;
  options.pictures = folder.path() / "rows.csv";
  const std::vector<MeasuredChoice> none;
  evaluate(test::bundledEngine(), Dataset::open(batch, test::bundledEngine().info()), none,
           options);
  const auto file = PictureFile::open(options.pictures);
  for (std::size_t picture = 0; picture < 3; ++picture) {
    const ImagePlace place = file->place(picture);
    EXPECT_EQ(place.file, batch);
    EXPECT_EQ(file->load(picture).pixels, test::patternPixels(place.record - 1));
  }
}

class PictureFileTest : public testing::Test {
 protected:
  std::string refusal(const std::string& text) const {
    test::writeBytes(file_, text);
    return test::errorMessage([&] { PictureFile::open(file_); });
  }

  test::TemporaryFolder folder_;
  fs::path file_ = folder_.path() / "rows.csv";
};

TEST_F(PictureFileTest, RefusesWhatItCannotCount) {
  test::writePictureRows(file_, "set", {{0, 0, 1}, {1, 1, 1}});
  const std::string good = contentOf(file_);
  EXPECT_EQ(PictureFile::open(file_)->pictures(), 2U);
  const std::size_t second = good.find("\"1.png\"");
  EXPECT_THAT(refusal("a,b\r\n1,2\r\n"), HasSubstr("no column \"image\""));
  EXPECT_THAT(refusal(good.substr(0, good.size() - 9)),
              AllOf(HasSubstr("rows.csv: row 5"), HasSubstr("in the middle")));
  EXPECT_THAT(refusal(good.substr(0, good.rfind("\"1.png\""))), HasSubstr("not all settings"));
  EXPECT_THAT(refusal(good.substr(0, second) + good.substr(good.rfind("\"1.png\""))),
              HasSubstr("not what comes next"));
  std::string bad = good;
  bad.replace(bad.find("0.6"), 3, "2.5");
  EXPECT_THAT(refusal(bad), AllOf(HasSubstr("row 3"), HasSubstr("2.5")));
  // Columns that only a closer look reads.
  const auto with = [&](const char* part, const char* instead) {
    std::string text = good;
    text.replace(text.find(part), std::string(part).size(), instead);
    return text;
  };
  EXPECT_THAT(refusal(with(",1,1,0,0,1,", ",abc,1,0,0,1,")), HasSubstr("\"abc\" in column"));
  EXPECT_THAT(refusal(with(",1,1,0,0,1,", ",1,1e9,0,0,1,")), HasSubstr("\"1e9\" in column"));
  EXPECT_THAT(refusal(with(",1,1,0,0,1,", ",1,1,0,0,nan,")), HasSubstr("\"nan\" in column"));
  EXPECT_THAT(refusal(with(",1,1,0,0,1,", ",1,1,3,0,1,")),
              HasSubstr("3 tokens merged, but 0 in its blocks"));
  EXPECT_THAT(refusal(with(",1,1,1,0,0,1,", ",0,1,1,0,0,1,")), HasSubstr("\"right\" is 0"));
  bad = good;
  bad.replace(bad.find("tome"), 4, "toms");
  EXPECT_THAT(refusal(bad), HasSubstr("toms"));
  bad = good;
  bad.replace(bad.find("8}\","), 4, "8}\",../../secret");
  EXPECT_THAT(refusal(bad), AllOf(HasSubstr("../../secret"), HasSubstr("16 hexadecimal")));
}

TEST_F(PictureFileTest, ListsAndCountsWhoPays) {
  std::vector<test::DrawnOutcome> outcomes;
  // Class 0: 9 lost, 2 gained, 4 kept; class 1: 3 lost, taken for 0.
  for (int i = 0; i < 9; ++i) outcomes.push_back({0, 0, i < 6 ? 2 : 1, 0.9, 0.9 - 0.1 * i, 8 + i});
  for (int i = 0; i < 2; ++i) outcomes.push_back({0, 2, 0, 0.1, 0.6 + 0.1 * i, 20});
  for (int i = 0; i < 4; ++i) outcomes.push_back({0, 0, 0, 0.9, 0.8, 3 - i});
  for (int i = 0; i < 3; ++i) outcomes.push_back({1, 1, 0, 0.7, 0.3, 10});
  test::writePictureRows(file_, "set", outcomes);
  const auto file = PictureFile::open(file_);

  const std::vector<ClassOutcome> classes = classOutcomes(*file, 1);
  ASSERT_EQ(classes.size(), 2U);
  EXPECT_EQ(classes[0].images, 15);
  EXPECT_EQ(classes[0].lost, 9);
  EXPECT_EQ(classes[0].gained, 2);
  EXPECT_EQ(classes[0].right_before, 13);
  EXPECT_EQ(classes[0].right_after, 6);
  // scipy.stats.binomtest(2, 11).pvalue and (0, 3); Holm: times 2, then the larger.
  EXPECT_NEAR(classes[0].p, 0.0654296875, 1e-12);
  EXPECT_NEAR(classes[1].p, 0.25, 1e-12);
  EXPECT_NEAR(classes[0].p_holm, 0.130859375, 1e-12);
  EXPECT_NEAR(classes[1].p_holm, 0.25, 1e-12);
  // (2.5 - 9.5) / 17 and 1.96 sqrt(12 - 49 / 17) / 17.
  EXPECT_NEAR(classes[0].difference.low, -75.99, 0.01);
  EXPECT_NEAR(classes[0].difference.high, -6.36, 0.01);

  const std::vector<Confusion> pairs = newConfusions(*file, 1);
  ASSERT_EQ(pairs.size(), 3U);
  EXPECT_EQ(pairs[0].label, 0);
  EXPECT_EQ(pairs[0].predicted, 2);
  EXPECT_EQ(pairs[0].before, 2);
  EXPECT_EQ(pairs[0].after, 6);

  const auto listed = [&](PictureFilter filter) { return selectPictures(*file, 1, filter); };
  EXPECT_THAT(listed({PictureShow::kLost, 0, -1}), ElementsAre(8, 7, 6, 5, 4, 3, 2, 1, 0));
  EXPECT_THAT(listed({PictureShow::kLost, 0, 1}), ElementsAre(8, 7, 6));
  EXPECT_THAT(listed({PictureShow::kGained, -1, -1}), ElementsAre(10, 9));
  EXPECT_THAT(listed({PictureShow::kKept, -1, -1}), ElementsAre(11, 12, 13, 14));
  EXPECT_THAT(listed({PictureShow::kMostMerged, -1, 0}), testing::Contains(9).Times(1));
  EXPECT_EQ(listed({PictureShow::kMostMerged, -1, -1}).front(), 9U);
  EXPECT_EQ(listed({PictureShow::kLeastMerged, -1, -1}).front(), 14U);
  EXPECT_EQ(listed({PictureShow::kAll, -1, -1}).size(), outcomes.size());
}

TEST_F(PictureFileTest, MeasuresWhetherCountsFollowTheImages) {
  std::vector<test::DrawnOutcome> outcomes;
  const std::vector<int> merged = {3, 1, 4, 1, 5, 9, 2, 6};
  const std::vector<double> edges = {1, 2, 4, 3, 5, 9, 2, 5};
  for (std::size_t i = 0; i < merged.size(); ++i) {
    outcomes.push_back({0, 0, 0, 0.9, 0.5, merged[i], edges[i]});
  }
  test::writePictureRows(file_, "set", outcomes);
  const Adaptation adaptation = adaptationOf(*PictureFile::open(file_), 1);
  // scipy.stats.spearmanr; the interval by Bonett and Wright's formula in NumPy.
  ASSERT_TRUE(adaptation.edges);
  EXPECT_NEAR(adaptation.edges->rho, 0.7939539754135209, 1e-12);
  EXPECT_NEAR(adaptation.edges->low, 0.07668011078545721, 1e-9);
  EXPECT_NEAR(adaptation.edges->high, 0.9697001482843667, 1e-9);
  EXPECT_FALSE(adaptation.entropy);  // all alike
  ASSERT_EQ(adaptation.blocks.size(), 1U);
  EXPECT_EQ(adaptation.blocks[0].spread.minimum, 1);
  EXPECT_EQ(adaptation.blocks[0].spread.median, 3.5);
  EXPECT_EQ(adaptation.blocks[0].spread.maximum, 9);
  EXPECT_NEAR(adaptation.merged.mean, 31.0 / 8, 1e-12);
}

TEST(Complexity, IsSciPys) {
  // scipy.signal.convolve2d with Sobel's kernels, scipy.stats.entropy of the histogram.
  const auto of = [](int number) { return complexityOf({32, 32, test::patternPixels(number)}); };
  EXPECT_NEAR(of(0).edges, 0.028307967221670286, 1e-12);
  EXPECT_NEAR(of(0).entropy, 6.819707234614899, 1e-9);
  EXPECT_NEAR(of(3).edges, 0.03944090114393918, 1e-12);
  EXPECT_NEAR(of(3).entropy, 7.046452921282117, 1e-9);
  const Image flat{4, 4, std::vector<std::uint8_t>(48, 90)};
  EXPECT_EQ(complexityOf(flat).edges, 0);
  EXPECT_EQ(complexityOf(flat).entropy, 0);
}

TEST_F(PictureRowsTest, MakeAContactSheetAndBoxPlots) {
  run();
  const auto file = PictureFile::open(rows_);
  const Engine& engine = test::bundledEngine();
  const std::vector<std::uint32_t> pictures = {0, 1};
  std::vector<std::string> missing;
  ContactSheet sheet =
      contactSheet(engine, *file, 1, {PictureShow::kAll, -1, -1}, pictures, 2, missing);
  EXPECT_TRUE(missing.empty());
  EXPECT_EQ(sheet.title, "All · AdaMerge, r_max 16");
  const fs::path svg = folder_.path() / "sheet.svg";
  writeFigure(sheet, {}, FigureFormat::kSvg, svg);
  EXPECT_THAT(contentOf(svg), AllOf(HasSubstr("AdaMerge, r_max 16"), HasSubstr("2 of 2")));
  const FigureSize two = figureSize(sheet, {});
  for (int more = 0; more < 20; ++more) sheet.tiles.push_back(sheet.tiles.front());
  EXPECT_GT(figureSize(sheet, {}).height_mm, two.height_mm * 0.9);
  sheet.tiles.clear();
  EXPECT_THAT(test::errorMessage([&] { figureSize(sheet, {}); }), HasSubstr("1 to 400"));
  EXPECT_THAT(test::errorMessage([&] {
                contactSheet(engine, *file, 1, {PictureShow::kLost, -1, -1}, {}, 2, missing);
              }),
              HasSubstr("no image is lost by AdaMerge, r_max 16"));

  const std::vector<std::size_t> points = {1, 2};
  const CountsFigure counts = countsFigure(*file, points);
  ASSERT_EQ(counts.settings.size(), 2U);
  EXPECT_EQ(counts.settings[1].detail, "every image alike");
  const fs::path counts_svg = folder_.path() / "counts.svg";
  writeFigure(counts, {}, FigureFormat::kSvg, counts_svg);
  EXPECT_THAT(contentOf(counts_svg), AllOf(HasSubstr("ToMe, r 14"), HasSubstr("edges")));
}

}  // namespace
}  // namespace adamerge
