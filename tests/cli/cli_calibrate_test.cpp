// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>

#include "cli_runner.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

/// A few pictures without a pattern, and the samples, in folders.
void makePictures(const fs::path& folder) {
  std::uint32_t state = 7;
  for (int number = 0; number < 4; ++number) {
    std::string picture = "P6 56 56 255\n";
    for (int i = 0; i < 56 * 56 * 3; ++i) {
      state = state * 1664525U + 1013904223U;
      picture.push_back(static_cast<char>(state >> 24U));
    }
    writeText(folder / "noise" / (std::to_string(number) + ".ppm"), picture);
  }
  for (const char* name : {"airplane", "automobile", "bird", "ship"}) {
    fs::create_directories(folder / "drawn");
    fs::copy_file(sample(name), folder / "drawn" / (std::string(name) + ".png"));
  }
}

CliResult calibrate(const fs::path& folder, const fs::path& output,
                    std::vector<std::string> options = {"--r-max", "8,16", "--dtype", "float32"},
                    const RunLimits& limits = {}) {
  options.insert(options.begin(),
                 {"calibrate", folder.string(), "-o", output.string(), "--threads", "1"});
  return adamergeCli(options, limits);
}

TEST(Calibrate, WritesStatisticsThatInspectUses) {
  const TemporaryFolder folder;
  makePictures(folder.path() / "images");
  const fs::path file = folder.path() / "new" / "folder" / "stats.json";
  const CliResult result = calibrate(folder.path() / "images", file);
  expectSuccess(result);
  EXPECT_THAT(result.out, HasSubstr(file.string()));
  EXPECT_THAT(filesIn(folder.path() / "new"), testing::ElementsAre("folder/stats.json"));

  const json stats = jsonIn(file);
  EXPECT_EQ(stats.at("format"), 1);
  EXPECT_EQ(stats.at("model"), "vit-tiny-cifar10");
  EXPECT_EQ(stats.at("depth"), 12);
  EXPECT_EQ(stats.at("passes"), 2);
  EXPECT_EQ(stats.at("images"), 8);
  EXPECT_EQ(stats.at("dtype"), "float32");
  EXPECT_THAT(stats.at("source").get<std::string>(), HasSubstr("images"));
  EXPECT_THAT(stats.at("created").get<std::string>(),
              testing::MatchesRegex("[0-9]+-[0-9][0-9]-[0-9][0-9].*"));
  for (const char* key :
       {"partition", "affinity", "salience", "proportional_attention", "alpha", "temperature"}) {
    EXPECT_TRUE(stats.at("settings").contains(key)) << key;
  }
  ASSERT_EQ(stats.at("entries").size(), 2U);
  EXPECT_EQ(stats.at("entries")[0].at("r_max"), 8);
  EXPECT_EQ(stats.at("entries")[1].at("r_max"), 16);
  for (const json& entry : stats.at("entries")) {
    ASSERT_EQ(entry.at("mu").size(), 12U);
    ASSERT_EQ(entry.at("sigma").size(), 12U);
    for (const json& sigma : entry.at("sigma")) EXPECT_GT(sigma.get<double>(), 0);
  }

  const std::vector<std::string> inspect = {
      "inspect", sample("bird"), "--stats", file.string(), "--json", "-", "--threads", "1"};
  const CliResult used = adamergeCli(inspect);
  expectSuccess(used);
  const json image = json::parse(used.out);
  EXPECT_EQ(image.at("calibrated"), true);
  for (std::size_t block = 0; block < 12; ++block) {
    const json& layer = image.at("layers")[block];
    const json& entry = stats.at("entries")[1];
    EXPECT_EQ(layer.at("mu"), entry.at("mu")[block]);
    EXPECT_EQ(layer.at("sigma"), entry.at("sigma")[block]);
    const double z = (layer.at("redundancy").get<double>() - layer.at("mu").get<double>()) /
                     std::max(layer.at("sigma").get<double>(), 1e-6);
    EXPECT_NEAR(layer.at("z").get<double>(), z, 1e-6);
    EXPECT_EQ(layer.at("merged"), std::floor(16 / (1 + std::exp(-z))));
  }

  std::vector<std::string> other_settings = inspect;
  other_settings.insert(other_settings.end(), {"--partition", "alternating"});
  const CliResult warned = adamergeCli(other_settings);
  expectSuccess(warned, /*warnings=*/true);
  EXPECT_THAT(warned.err, HasSubstr("partition sequential instead of alternating"));
}

TEST(Calibrate, MeasuresPruneSidsUsualRedundancy) {
  const TemporaryFolder folder;
  makePictures(folder.path() / "images");
  const fs::path file = folder.path() / "stats.json";
  const std::vector<std::string> method = {"--method", "prunesid", "--dynamic", "on",
                                           "--keep",   "60",       "--dtype",   "float32"};
  expectSuccess(calibrate(folder.path() / "images", file, method));
  const json entry = jsonIn(file).at("entries").at(0);
  EXPECT_EQ(entry.at("keep"), 60);
  const double usual = entry.at("mu").at(6).get<double>();
  EXPECT_GT(usual, 0);

  std::vector<std::string> inspect = {"inspect", sample("bird"), "--stats", file.string(), "--json",
                                      "-",       "--threads",    "1"};
  inspect.insert(inspect.end(), method.begin(), method.end());
  const CliResult used = adamergeCli(inspect);
  expectSuccess(used);
  const json layer = json::parse(used.out).at("layers").at(6);
  const double share = (1 - layer.at("redundancy").get<double>()) / (1 - usual);
  EXPECT_NEAR(layer.at("tokens_out").get<double>() - 1, 60 * share, 0.6);

  std::vector<std::string> counted = method;
  counted.insert(counted.end(), {"--r-max", "8"});
  EXPECT_THAT(calibrate(folder.path() / "images", file, counted).err,
              HasSubstr("--r-max is no setting of prunesid"));
  EXPECT_THAT(calibrate(folder.path() / "images", file, {"--method", "prunesid"}).err,
              HasSubstr("prunesid uses layer statistics only with --dynamic on"));
}

TEST(Calibrate, DrawsTheSameImagesForTheSameSeed) {
  const TemporaryFolder folder;
  makePictures(folder.path() / "images");
  std::vector<json> entries;
  for (const char* seed : {"1", "1", "2"}) {
    const fs::path file = folder.path() / "stats.json";
    expectSuccess(calibrate(folder.path() / "images", file,
                            {"--r-max", "8", "--limit", "3", "--seed", seed, "--passes", "1"}));
    EXPECT_EQ(jsonIn(file).at("images"), 3);
    EXPECT_EQ(jsonIn(file).at("passes"), 1);
    entries.push_back(jsonIn(file).at("entries"));
  }
  EXPECT_EQ(entries[0], entries[1]);
  EXPECT_NE(entries[0], entries[2]);
}

TEST(Calibrate, ReadsTheTrainingBatchesOfCifarsBinaryFormat) {
  const TemporaryFolder folder;
  // A label, then 32 x 32 pixels of each channel.
  std::string record(1 + 3 * 32 * 32, '\0');
  for (std::size_t i = 0; i < record.size(); ++i) record[i] = static_cast<char>(i * 7 % 251);
  record[0] = 1;
  writeText(folder.path() / "set" / "data_batch_1.bin", record + record + record);
  writeText(folder.path() / "set" / "test_batch.bin", record);
  const fs::path file = folder.path() / "stats.json";
  expectSuccess(calibrate(folder.path() / "set", file, {"--r-max", "8", "--quiet"}));
  EXPECT_EQ(jsonIn(file).at("images"), 3);
}

TEST(Calibrate, LeavesOutABrokenImageAndSaysSo) {
  const TemporaryFolder folder;
  makePictures(folder.path() / "images");
  writeText(folder.path() / "images" / "broken.jpg", "no picture");
  const fs::path file = folder.path() / "stats.json";
  const CliResult result = calibrate(folder.path() / "images", file, {"--r-max", "8"});
  EXPECT_EQ(result.status, 1);
  ASSERT_EQ(result.errorLines().size(), 2U) << result.err;
  EXPECT_THAT(result.errorLines()[0], HasSubstr("broken.jpg: "));
  EXPECT_THAT(result.errorLines()[1], HasSubstr("1 of 9 images"));
  EXPECT_EQ(jsonIn(file).at("images"), 8);
}

TEST(Calibrate, NeedsImages) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "stats.json";
  expectProblem(calibrate(folder.path() / "missing", file), 1, {"missing: ", "no such"});
  fs::create_directory(folder.path() / "empty");
  expectProblem(calibrate(folder.path() / "empty", file), 1, {"empty: ", "no image"});

  writeText(folder.path() / "bad" / "a.png", "text");
  writeText(folder.path() / "bad" / "b.png", "");
  const CliResult result = calibrate(folder.path() / "bad", file);
  EXPECT_EQ(result.status, 1);
  ASSERT_EQ(result.errorLines().size(), 3U) << result.err;
  EXPECT_THAT(result.errorLines()[0], HasSubstr("a.png: "));
  EXPECT_THAT(result.errorLines()[1], HasSubstr("b.png: "));
  EXPECT_THAT(result.errorLines()[2], HasSubstr("no image could be read"));
  EXPECT_FALSE(fs::exists(file));
}

TEST(Calibrate, RefusesMoreThanTheModelCanMerge) {
  const TemporaryFolder folder;
  expectProblem(calibrate(samplesFolder(), folder.path() / "s.json", {"--r-max", "8,500"}), 1,
                {"--r-max 500", "196"});
  EXPECT_THAT(filesIn(folder.path()), testing::IsEmpty());
}

TEST(Calibrate, SaysAtOnceWhereItCannotWrite) {
  const TemporaryFolder folder;
  expectProblem(calibrate(samplesFolder(), folder.path()), 1, {folder.path(), "this is a folder"});
  writeText(folder.path() / "file", "x");
  const fs::path below = folder.path() / "file" / "stats.json";
  expectProblem(calibrate(samplesFolder(), below), 1, {below});
}

TEST(Calibrate, SaysAtOnceWhereItMayNotWrite) {
  if (const fs::path closed = folderClosedToNobody(); !closed.empty()) {
    GTEST_SKIP() << closed << " is closed to all but root: the program cannot run as nobody";
  }
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "closed");
  fs::permissions(folder.path(), fs::perms::owner_all | fs::perms::others_exec);
  fs::permissions(folder.path() / "closed", fs::perms::owner_all | fs::perms::others_exec);
  const fs::path closed = folder.path() / "closed" / "stats.json";
  expectProblem(calibrate(samplesFolder(), closed, {"--r-max", "8"}, {.unprivileged = true}), 1,
                {closed, "Permission denied"});
  EXPECT_THAT(filesIn(folder.path()), testing::IsEmpty());
}

}  // namespace
}  // namespace adamerge::test
