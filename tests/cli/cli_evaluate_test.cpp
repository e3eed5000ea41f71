// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>

#include "cli_runner.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class EvaluateCommand : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"airplane", "automobile", "bird", "ship"}) {
      fs::create_directories(set_ / name);
      fs::copy_file(sample(name), set_ / name / "drawn.png");
      // The same picture in a folder it does not belong to is an error to count.
      fs::copy_file(sample("bird"), set_ / name / "bird.png");
    }
  }

  CliResult evaluate(std::vector<std::string> options) const {
    options.insert(options.begin(),
                   {"evaluate", set_.string(), "--dtype", "float32", "--threads", "1"});
    return adamergeCli(options);
  }

  TemporaryFolder folder_;
  fs::path set_ = folder_.path() / "set";
};

TEST_F(EvaluateCommand, WritesTableJsonAndCsv) {
  const fs::path file = folder_.path() / "new" / "results.json";
  const fs::path csv = folder_.path() / "new" / "results.csv";
  const CliResult result = evaluate(
      {"--methods", "adamerge,tome", "--r-max", "8,16", "--r", "8", "--json", file, "--csv", csv});
  expectSuccess(result);
  for (const char* part : {"vit-tiny-cifar10", "8 images", "Unmerged", "AdaMerge, r_max 8",
                           "AdaMerge, r_max 16", "ToMe, r 8", "95 % interval", "1.225", "0.924"}) {
    EXPECT_THAT(result.out, HasSubstr(part));
  }
  EXPECT_THAT(filesIn(folder_.path() / "new"), testing::ElementsAre("results.csv", "results.json"));

  const json record = jsonIn(file);
  EXPECT_EQ(record.at("model"), "vit-tiny-cifar10");
  EXPECT_EQ(record.at("dataset"), set_.string());
  EXPECT_EQ(record.at("images"), 8);
  EXPECT_EQ(record.at("skipped"), json::array());
  EXPECT_EQ(record.at("device"), "cpu");
  EXPECT_EQ(record.at("dtype"), "float32");
  EXPECT_THAT(record.at("command").get<std::string>(),
              testing::AllOf(testing::StartsWith("adamerge evaluate "),
                             HasSubstr(' ' + set_.string() + " --dtype float32 ")));
  ASSERT_EQ(record.at("points").size(), 4U);
  const json& plain = record.at("points")[0];
  EXPECT_EQ(plain.at("method"), "none");
  // Four of the eight show a bird, one of them in the folder of birds, where the fifth is drawn.
  EXPECT_EQ(plain.at("top1"), 62.5);
  EXPECT_NEAR(plain.at("top1_interval")[0].get<double>(), 30.574, 1e-3);
  EXPECT_NEAR(plain.at("top1_interval")[1].get<double>(), 86.316, 1e-3);
  EXPECT_NEAR(plain.at("flops_paper").get<double>(), 1.2246, 1e-4);
  const json& tome = record.at("points")[3];
  EXPECT_EQ(tome.at("settings").at("r"), 8);
  EXPECT_EQ(tome.at("merged_mean"), 96);
  EXPECT_EQ(tome.at("flops_paper_sd"), 0);
  for (int block = 0; block < 12; ++block) {
    EXPECT_EQ(tome.at("tokens_per_block")[block], 197 - 8 * block);
  }
  EXPECT_GT(record.at("points")[2].at("flops_paper_sd"), 0);
  EXPECT_EQ(contentOf(csv).substr(0, 12), "method,name,");
}

TEST_F(EvaluateCommand, FindsTheSettingsOfATier) {
  const fs::path file = folder_.path() / "found.json";
  const CliResult result =
      evaluate({"--methods", "tome,pitome,adamerge", "--flops", "0.96", "--flops-images", "4",
                "--variant", "adamerge adaptive=off", "--json", file});
  expectSuccess(result, /*warnings=*/true);
  // Only what differs from image to image is a mean.
  EXPECT_THAT(result.out, testing::ContainsRegex("AdaMerge, r_max [0-9]+ costs [0-9.]+ G, mean of "
                                                 "4 images\n"));
  EXPECT_THAT(result.out, testing::ContainsRegex("AdaMerge, r [0-9]+, Adaptive count off costs "
                                                 "[0-9.]+ G\n"));
  EXPECT_THAT(result.out, testing::ContainsRegex("ToMe, r 7 costs [0-9.]+ G\n"));
  const json record = jsonIn(file);
  ASSERT_EQ(record.at("points").size(), 5U);
  EXPECT_EQ(record.at("points")[1].at("settings").at("r"), 7);
  for (std::size_t i = 1; i < 5; ++i) {
    const json& point = record.at("points")[i];
    EXPECT_EQ(point.at("tier"), 0.96);
    EXPECT_NEAR(point.at("flops_paper").get<double>(), 0.96, 0.05);
    // Against the unmerged model and every method before.
    ASSERT_EQ(point.at("compared").size(), i);
    EXPECT_EQ(point.at("compared")[0].at("point"), 0);
    if (i > 1) {
      EXPECT_EQ(point.at("compared")[1].at("point"), 1);
    }
    EXPECT_LE(point.at("compared")[0].at("p"), 1);
  }
}

TEST_F(EvaluateCommand, MeasuresVariantsOfAMethod) {
  const std::string shared = "adaptive=off partition=alternating r=8";
  const CliResult result = evaluate({"--variant", "adamerge " + shared, "--variant",
                                     "adamerge salience=off weights=size " + shared, "--variant",
                                     "tome r-per-block=9,8,7", "--json", "-"});
  expectSuccess(result);
  const json points = json::parse(result.out).at("points");
  ASSERT_EQ(points.size(), 4U);
  EXPECT_EQ(points[1].at("settings").at("salience"), true);
  EXPECT_EQ(points[2].at("settings").at("salience"), false);
  EXPECT_EQ(points[2].at("settings").at("weights"), "size");
  EXPECT_EQ(points[1].at("flops_paper"), points[2].at("flops_paper"));
  EXPECT_NE(points[1].at("kl_divergence"), points[2].at("kl_divergence"));
  EXPECT_EQ(points[3].at("merged_mean"), 24);
  // Settings of one method are compared in pairs where they cost the same; nothing is with what
  // costs less.
  ASSERT_EQ(points[2].at("compared").size(), 2U);
  EXPECT_EQ(points[2].at("compared")[1].at("point"), 1);
  const json& costly = points[1].at("flops_paper");
  const json& cheap = points[3].at("flops_paper");
  ASSERT_GT(std::abs(costly.get<double>() / cheap.get<double>() - 1), 0.02);
  EXPECT_EQ(points[3].at("compared").size(), 1U);
}

TEST_F(EvaluateCommand, RefusesVariantsThatAreNone) {
  for (const auto& [variant, problem] : std::vector<std::pair<std::string, std::string>>{
           {"tomme r=8", "there is no method 'tomme'"},
           {"tome r", "'r' is no KEY=VALUE"},
           {"tome r=many", "--r takes"},
           {"ToMe --r=many", "--r takes"},
           {"prune_merge metric-keys=content", "--metric-keys is no setting of prune-merge"},
           {"tome r-per-block=8 r=4 --r_per_block=2", "r-per-block is given twice"},
           {"tome R=2 r=4", "r is given twice"},
           {"tome =1", "'=1' is no KEY=VALUE"},
           {"tome salience=off", "--salience is no setting of tome"},
           {"tome stats=stats.json", "tome uses no layer statistics"},
           {"adamerge stats=stats.json adaptive=off", "only with --adaptive on"},
           {"adamerge r=8", "--r has no effect here: it needs --adaptive off"},
           {"adamerge stats=/nowhere.json", "/nowhere.json"}}) {
    const CliResult result = evaluate({"--variant", variant});
    EXPECT_EQ(result.status, 2) << variant;
    EXPECT_THAT(result.err, HasSubstr("--variant '" + variant + "'"));
    EXPECT_THAT(result.err, HasSubstr(problem));
  }
}

TEST_F(EvaluateCommand, TakesNamesAsPeopleWriteThem) {
  // The methods pass, so that the variant is what is wrong.
  expectProblem(evaluate({"--methods", "ToMe, pitome,Prune_Merge", "--variant", "tome r"}), 2,
                {"'r' is no KEY=VALUE"});
}

TEST_F(EvaluateCommand, MeasuresAgreementWithoutLabels) {
  const CliResult result = adamergeCli({"evaluate", samplesFolder(), "--unlabelled", "--methods",
                                        "tome", "--json", "-", "--threads", "1"});
  expectSuccess(result);
  const json record = json::parse(result.out);
  EXPECT_EQ(record.at("images"), 4);
  for (const json& point : record.at("points")) {
    EXPECT_TRUE(point.at("top1").is_null());
    EXPECT_TRUE(point.at("top1_interval").is_null());
    EXPECT_TRUE(point.at("top5").is_null());
    EXPECT_EQ(point.at("agreement"), 100);
  }
}

TEST_F(EvaluateCommand, KeepsARowOfEachImageAndTellsWhoPays) {
  const fs::path rows = folder_.path() / "rows.csv";
  const CliResult measured = evaluate({"--methods", "adamerge,tome", "--r-max", "16", "--r", "14",
                                       "--per-image", rows, "--json", folder_.path() / "out.json"});
  expectSuccess(measured);
  // Nothing of what was kept meanwhile remains.
  EXPECT_THAT(filesIn(folder_.path()), testing::Contains("rows.csv"));
  EXPECT_THAT(filesIn(folder_.path()), testing::Not(testing::Contains(HasSubstr("partial"))));
  const std::string text = contentOf(rows);
  EXPECT_THAT(text,
              testing::StartsWith("image,label,class,method,settings,statistics,top1_index,"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1 + 8 * 3);

  const fs::path told = folder_.path() / "told.json";
  const fs::path counts = folder_.path() / "counts.svg";
  const CliResult pictures =
      adamergeCli({"pictures", rows, "--setting", "2", "--json", told, "--counts", counts});
  expectSuccess(pictures);
  for (const char* part : {"8 images", "[2] ToMe, r 14", "airplane", "lost : gained", "McNemar",
                           "tokens merged an image: 168"}) {
    EXPECT_THAT(pictures.out, HasSubstr(part));
  }
  EXPECT_THAT(contentOf(counts), HasSubstr("every image alike"));
  const json record = jsonIn(told);
  const json totals = jsonIn(folder_.path() / "out.json");
  ASSERT_EQ(record.at("points").size(), 3U);
  for (std::size_t point = 0; point < 3; ++point) {
    double right = 0;
    for (const json& own : record.at("points")[point].at("classes")) {
      EXPECT_EQ(own.at("images"), 2);
      right += own.at("after").get<double>() / 100 * 2;
    }
    EXPECT_NEAR(100 * right / 8, totals.at("points")[point].at("top1").get<double>(), 1e-9);
  }
  EXPECT_TRUE(record.at("points")[2].at("adaptation").at("edges").is_null());
  EXPECT_GE(record.at("points")[1].at("adaptation").at("edges").at("rho"), -1);

  const fs::path sheet = folder_.path() / "sheet.svg";
  expectSuccess(adamergeCli({"pictures", rows, "--setting", "2", "--show", "all", "--class", "bird",
                             "--sheet", sheet, "--quiet"}));
  EXPECT_THAT(contentOf(sheet), testing::AllOf(HasSubstr("ToMe, r 14"), HasSubstr("2 of 2 images"),
                                               HasSubstr("bird/drawn.png")));
  expectProblem(adamergeCli({"pictures", rows, "--setting", "3"}), 2, {"--setting 3", "1 to 2"});
  expectProblem(adamergeCli({"pictures", rows, "--setting", "1", "--sheet", "sheet.txt"}), 2,
                {"--sheet", "sheet.txt"});
  expectProblem(adamergeCli({"pictures", told}), 1, {"told.json", "--per-image"});
  expectProblem(evaluate({"--methods", "tome", "--r", "8", "--per-image", "-"}), 2,
                {"--per-image", "file"});
  fs::remove(set_ / "bird" / "drawn.png");
  const CliResult moved = adamergeCli({"pictures", rows, "--setting", "2", "--show", "all",
                                       "--class", "bird", "--sheet", sheet, "--quiet"});
  EXPECT_EQ(moved.status, 1);
  EXPECT_THAT(moved.err, testing::AllOf(HasSubstr("drawn.png"), HasSubstr("left out")));
  EXPECT_THAT(contentOf(sheet), HasSubstr("1 of 2 images"));
}

TEST_F(EvaluateCommand, DrawsTheSameImagesForTheSameSeed) {
  std::vector<json> points;
  for (const char* seed : {"1", "1", "2"}) {
    const CliResult result =
        evaluate({"--methods", "adamerge", "--limit", "3", "--seed", seed, "--json", "-"});
    expectSuccess(result);
    json record = json::parse(result.out);
    EXPECT_EQ(record.at("images"), 3);
    points.push_back(record.at("points")[1].at("flops_paper"));
  }
  EXPECT_EQ(points[0], points[1]);
  EXPECT_NE(points[0], points[2]);
}

TEST_F(EvaluateCommand, NamesWhatItLeavesOut) {
  writeText(set_ / "bird" / "broken.jpg", "no picture");
  const CliResult result = evaluate({"--methods", "none", "--json", folder_.path() / "out.json"});
  EXPECT_EQ(result.status, 1);
  ASSERT_EQ(result.errorLines().size(), 2U) << result.err;
  EXPECT_THAT(result.errorLines()[0], HasSubstr("broken.jpg: "));
  EXPECT_THAT(result.errorLines()[1], HasSubstr("1 of 9 images"));
  const json record = jsonIn(folder_.path() / "out.json");
  EXPECT_EQ(record.at("images"), 8);
  EXPECT_EQ(record.at("skipped"), json::array({"bird/broken.jpg"}));
}

TEST_F(EvaluateCommand, TakesAMappingFile) {
  for (const char* name : {"airplane", "automobile", "bird", "ship"}) {
    fs::rename(set_ / name, set_ / ("n0_" + std::string(name)));
  }
  expectProblem(evaluate({"--methods", "none"}), 1, {"4 of the 4 classes", "n0_bird", "--labels"});
  const fs::path file = folder_.path() / "labels.txt";
  writeText(file, "n0_airplane\tairplane\nn0_automobile 1\nn0_bird,bird\nn0_ship 8\n");
  const CliResult result = evaluate({"--methods", "none", "--labels", file, "--json", "-"});
  expectSuccess(result);
  EXPECT_EQ(json::parse(result.out).at("points")[0].at("top1"), 62.5);
}

}  // namespace
}  // namespace adamerge::test
