// SPDX-License-Identifier: GPL-3.0-or-later
// `adamerge bench`: what it measures, writes and compares. Nothing about how long it takes.
#include "cli_runner.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

CliResult bench(std::vector<std::string> options, const RunLimits& limits = {}) {
  options.insert(options.begin(),
                 {"bench", "--warmup", "1", "--runs", "1", "--threads", "1", "--dtype", "float32"});
  return adamergeCli(options, limits);
}

TEST(Bench, TellsAPersonAndWritesTheSameAsJson) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "bench.json";
  const CliResult result =
      bench({"--method", "tome,adamerge", "--r", "8", "--batch", "1,2", "--json", file});
  expectSuccess(result);
  for (const char* part : {"vit-tiny-cifar10 at 56 x 56", "197 x 768 x 3072", "GFLOP/s", "Unmerged",
                           "ToMe, r 8", "AdaMerge, r_max 16", "realised", "quartiles"}) {
    EXPECT_THAT(result.out, HasSubstr(part));
  }
  EXPECT_THAT(filesIn(folder.path()), testing::ElementsAre("bench.json"));
  const json content = jsonIn(file);
  EXPECT_EQ(content.at("runs"), 1);
  EXPECT_THAT(
      content.at("command").get<std::string>(),
      testing::AllOf(testing::StartsWith("adamerge bench "), HasSubstr(" --warmup 1 --runs 1")));
  EXPECT_THAT(content.at("created").get<std::string>(),
              testing::MatchesRegex("20..-..-..T..:..:..Z"));
  EXPECT_GE(content.at("machine").at("cores"), 1);
  ASSERT_EQ(content.at("models").size(), 1U);
  const json& model = content.at("models").at(0);
  EXPECT_EQ(model.at("threads"), 1);
  EXPECT_EQ(model.at("dtype"), "float32");
  EXPECT_EQ(model.at("complete"), true);
  EXPECT_GT(model.at("product_gflops").at("median"), 0);
  const json& points = model.at("points");
  ASSERT_EQ(points.size(), 6U);
  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ(points[i].at("batch"), i < 3 ? 1 : 2);
    EXPECT_EQ(points[i].at("method"),
              (std::vector<std::string>{"none", "tome", "adamerge"})[i % 3]);
    EXPECT_EQ(points[i].at("times").size(), 1U);
    EXPECT_GT(points[i].at("images_per_second"), 0);
  }
  EXPECT_NEAR(points[0].at("flops_paper").get<double>(), 1.2246, 1e-4);
  EXPECT_LT(points[1].at("flops_paper"), points[0].at("flops_paper"));

  const CliResult same = adamergeCli({"bench", "--compare", file, file});
  expectSuccess(same);
  EXPECT_THAT(same.out, HasSubstr("0 slower, 0 faster, 6 neither"));
}

TEST(Bench, FindsEqualFlopsForRandomWeights) {
  const CliResult result =
      bench({"--architecture", "vit_tiny_patch32_224,vit_tiny_patch32_160", "--method",
             "adamerge,tome", "--flops", "0.25", "--batch", "1", "--json", "-", "--quiet"});
  expectSuccess(result);
  const json content = json::parse(result.out);
  ASSERT_EQ(content.at("models").size(), 2U);
  const json& model = content.at("models").at(0);
  EXPECT_EQ(model.at("model"), "vit_tiny_patch32_224");
  EXPECT_EQ(model.at("input_size"), (json{224, 224}));
  EXPECT_EQ(content.at("models").at(1).at("input_size"), (json{160, 160}));
  const json& points = model.at("points");
  ASSERT_EQ(points.size(), 3U);
  EXPECT_TRUE(points[0].at("tier").is_null());
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_EQ(points[i].at("tier"), 0.25);
    EXPECT_NEAR(points[i].at("flops_paper").get<double>(), 0.25, 0.01);
    EXPECT_EQ(points[i].at("calibrated"), true) << points[i].at("name");
  }
}

TEST(Bench, RunsOnImagesAndNamesThoseItCannotRead) {
  const TemporaryFolder folder;
  fs::copy_file(sample("bird"), folder.path() / "bird.png");
  writeText(folder.path() / "bad.png", "text");
  const fs::path file = folder.path() / "out" / "bench.json";
  const CliResult result =
      bench({"--images", folder.path(), "--method", "none", "--batch", "2", "--json", file});
  expectProblem(result, 1, {"bad.png: "});
  EXPECT_EQ(jsonIn(file).at("models").at(0).at("points").size(), 1U);
  expectProblem(bench({"--images", folder.path() / "missing", "--json", file}), 1, {"missing"});
  fs::remove(folder.path() / "bird.png");
  const CliResult none = bench({"--images", folder.path() / "bad.png"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("no image could be read"));
}

TEST(Bench, KeepsWhatIsMeasuredWhenInterrupted) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "bench.json";
  const CliResult result =
      adamergeCli({"bench", "--method", "none", "--batch", "1", "--runs", "100000", "--json", file},
                  {.interrupt_after = std::chrono::milliseconds(2500)});
  expectProblem(result, 1, {"interrupted"});
  if (!fs::exists(file)) GTEST_SKIP() << "no round was finished yet";
  const json model = jsonIn(file).at("models").at(0);
  EXPECT_EQ(model.at("complete"), false);
  ASSERT_EQ(model.at("points").size(), 1U);
  EXPECT_EQ(model.at("points").at(0).at("times").size(), model.at("points").at(0).at("runs"));
  EXPECT_THAT(result.out, HasSubstr("Unmerged"));
}

TEST(Bench, RefusesWrongUsage) {
  const TemporaryFolder folder;
  struct Wrong {
    std::vector<std::string> options;
    std::vector<std::string> says;
  };
  for (const Wrong& wrong : std::vector<Wrong>{
           {{"--batch", "0"}, {"--batch", "1 to"}},
           {{"--batch", "two"}, {"--batch", "8,12,16"}},
           {{"--runs", "0"}, {"--runs"}},
           {{"--flops", "1", "--method", "none"}, {"--flops", "none of the methods"}},
           {{"--architecture", "resnet50"},
            {"--architecture", "'resnet50'", "vit_base_patch16_224"}},
           {{"--architecture", "vit_tiny_patch16_224", "--model", "m"},
            {"--architecture", "--model"}},
           {{"--tolerance", "1.1"}, {"--tolerance", "--compare"}}}) {
    SCOPED_TRACE(wrong.options.front());
    std::vector<std::string> command = wrong.options;
    command.insert(command.begin(), "bench");
    const CliResult result = adamergeCli(command, {.folder = folder.path()});
    expectProblem(result, 2, wrong.says);
    EXPECT_EQ(result.out, "");
  }
  expectProblem(bench({"--json", folder.path()}), 1, {folder.path(), "folder"});
}

json handWritten(double median, const std::string& processor = "Abacus",
                 const std::string& dtype = "float32", double product = 300) {
  const json time = {{"median", median},
                     {"lower_quartile", 0.98 * median},
                     {"upper_quartile", 1.02 * median},
                     {"minimum", 0.9 * median},
                     {"maximum", 1.1 * median}};
  const json point = {{"name", "ToMe, r 8"},
                      {"method", "tome"},
                      {"settings", {{"r", 8}}},
                      {"batch", 1},
                      {"milliseconds", time}};
  return {{"benchmark_format", 1},
          {"machine", {{"processor", processor}, {"cores", 2}, {"instruction_set", "beads"}}},
          {"models",
           {{{"model", "vit"},
             {"input_size", {224, 224}},
             {"device", "cpu"},
             {"dtype", dtype},
             {"threads", 2},
             {"product_gflops", {{"median", product}}},
             {"points", {point}}}}}};
}

TEST(BenchCompare, SaysWhatGotSlower) {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name, const json& content) {
    writeText(folder.path() / name, content.dump());
    return (folder.path() / name).string();
  };
  const std::string old_file = write("old.json", handWritten(100));
  const std::string slow = write("slow.json", handWritten(120));
  const auto compare = [&](const std::string& other, std::vector<std::string> more = {}) {
    std::vector<std::string> command = {"bench", "--compare", old_file, other};
    command.insert(command.end(), more.begin(), more.end());
    return adamergeCli(command);
  };
  const CliResult slower = compare(slow);
  EXPECT_EQ(slower.status, 1);
  EXPECT_EQ(slower.err, "");
  EXPECT_THAT(slower.out, HasSubstr("vit, ToMe, r 8"));
  EXPECT_THAT(slower.out, HasSubstr("1.200   slower"));
  EXPECT_THAT(slower.out, HasSubstr("1 slower, 0 faster"));
  expectSuccess(compare(slow, {"--tolerance", "1.3"}));
  const CliResult foreign = compare(write("foreign.json", handWritten(100, "Slide rule")));
  expectSuccess(foreign, /*warnings=*/true);
  EXPECT_THAT(foreign.err, HasSubstr("different machines (Abacus, 2 cores, beads; Slide rule"));

  const CliResult loaded =
      compare(write("loaded.json", handWritten(100, "Abacus", "float32", 200)));
  expectSuccess(loaded, /*warnings=*/true);
  EXPECT_THAT(loaded.err, HasSubstr("reached 300 GFLOP/s in the old file, 200 in the new one"));

  expectProblem(compare(write("half.json", handWritten(100, "Abacus", "bfloat16"))), 1,
                {"old.json", "half.json", "share no configuration"});
  expectProblem(compare(write("other.json", json{{"points", 1}})), 1,
                {"other.json", "was not written by 'adamerge bench --json'"});
  expectProblem(compare(slow, {"--batch", "1"}), 2, {"--batch", "--compare"});
}

}  // namespace
}  // namespace adamerge::test
