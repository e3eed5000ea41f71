// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "adamerge/error.h"
#include "adamerge/methods.h"
#include "error_message.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Statistics example() {
  Statistics statistics;
  statistics.model = "m";
  statistics.depth = 2;
  statistics.images = 5;
  statistics.source = "here";
  statistics.created = "2026-11-21";
  statistics.dtype = "bfloat16";
  statistics.settings = {
      {"alpha", 1.0}, {"partition", std::string("sequential")}, {"salience", true}};
  statistics.entries = {{4, {0.1, 0.2}, {0.01, 0.02}}, {8, {0.3, 0.6}, {0.03, 0.04}}};
  return statistics;
}

TEST(Statistics, InterpolatesInsideAndTakesTheNearestOutside) {
  const Statistics statistics = example();
  EXPECT_EQ(interpolate(statistics, 4).mu, (std::vector<double>{0.1, 0.2}));
  EXPECT_EQ(interpolate(statistics, 8).sigma, (std::vector<double>{0.03, 0.04}));
  const StatisticsEntry between = interpolate(statistics, 5);
  EXPECT_NEAR(between.mu[0], 0.15, 1e-12);
  EXPECT_NEAR(between.mu[1], 0.3, 1e-12);
  EXPECT_NEAR(between.sigma[1], 0.025, 1e-12);
  EXPECT_EQ(interpolate(statistics, 0).mu, statistics.entries[0].mu);
  EXPECT_EQ(interpolate(statistics, 99).mu, statistics.entries[1].mu);
}

TEST(Statistics, SurvivesAFile) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "sub" / "stats.json";
  writeStatistics(example(), path);
  const Statistics read = readStatistics(path);
  EXPECT_EQ(read.model, "m");
  EXPECT_EQ(read.depth, 2);
  EXPECT_EQ(read.images, 5);
  EXPECT_EQ(read.dtype, "bfloat16");
  EXPECT_EQ(read.settings, example().settings);
  ASSERT_EQ(read.entries.size(), 2U);
  EXPECT_EQ(read.entries[1].mu, example().entries[1].mu);
  EXPECT_EQ(read.entries[1].sigma, example().entries[1].sigma);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path.parent_path()), {}), 1);
}

TEST(Statistics, AreWrittenThroughALinkAndNeverOverAPipe) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "real.json";
  const auto link = folder.path() / "link.json";
  std::ofstream(file) << "old";
  std::filesystem::create_symlink(file, link);
  writeStatistics(example(), link);
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(readStatistics(file).depth, 2);

  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string message = test::errorMessage([&] { writeStatistics(example(), pipe); });
  EXPECT_THAT(message, AllOf(HasSubstr("pipe"), HasSubstr("regular file")));
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

class BadStatistics : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BadStatistics, IsRefusedWithTheReason) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "bad.json";
  std::ofstream(path) << GetParam().first;
  try {
    readStatistics(path);
    FAIL() << "accepted: " << GetParam().first;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("bad.json"), HasSubstr(GetParam().second)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, BadStatistics,
    testing::Values(
        std::pair("", "not valid JSON"), std::pair("{\"format\": 1,\n", "line 2"),
        std::pair("[]", "object"), std::pair(R"({"format": 2})", "format"),
        std::pair(R"({"format": 1, "entries": []})", "depth"),
        std::pair(R"({"format": 1, "depth": 2})", "entries"),
        std::pair(
            R"({"format": 1, "depth": 2, "entries": [{"r_max": 4, "mu": [1], "sigma": [1, 1]}]})",
            "2 numbers"),
        std::pair(
            R"({"format": 1, "depth": 1, "entries": [{"r_max": 4, "mu": ["x"], "sigma": [1]}]})",
            "only numbers"),
        std::pair(
            R"({"format": 1, "depth": 1, "entries": [{"r_max": 4, "mu": [1], "sigma": [-1]}]})",
            "negative"),
        std::pair(R"({"format": 1, "depth": 1, "entries": [{"r_max": 4, "mu": [1], "sigma": [1]},
                     {"r_max": 4, "mu": [1], "sigma": [1]}]})",
                  "ascend"),
        std::pair(R"({"format": 1, "depth": 1, "settings": {"a": null},
                     "entries": [{"r_max": 4, "mu": [1], "sigma": [1]}]})",
                  "setting")));

}  // namespace
}  // namespace adamerge
