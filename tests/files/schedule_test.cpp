// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "adamerge/files.h"
#include "adamerge/methods.h"
#include "error_message.h"

namespace adamerge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::filesystem::path written(const std::string& name, const std::string& text) {
  const std::filesystem::path path = std::filesystem::path(::testing::TempDir()) / name;
  writeFileAtomically(path, text);
  return path;
}

TEST(Schedule, IsReadAsItWasWritten) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "front.json";
  writeSchedule({"front loaded", {16, 8, 0, 4}}, path);
  const Schedule read = readSchedule(path.string());
  EXPECT_EQ(read.name, "front loaded");
  EXPECT_THAT(read.counts, ElementsAre(16, 8, 0, 4));
  EXPECT_EQ(readSchedule(path.string() + "#front loaded").counts, read.counts);
  EXPECT_THAT(test::errorMessage([&] { readSchedule(path.string() + "#back"); }),
              HasSubstr("Add # and one of: front loaded"));
}

TEST(Schedule, OfDiffRateCountsWhatPruningAndMergingLeave) {
  // Two of the published ones, ViT-S-DeiT at 2.9 G and a network of several resolutions.
  const auto path = written("compression_rate.json", R"({
    "ViT-S-DeiT": {"2.9": {
      "prune_kept_num": "[197,196,190,168,150,139,129,117,99,78,58,3]",
      "merge_kept_num": "[197,194,176,156,141,133,121,107,88,64,56,3]"}},
    "ViT-B-MAE": {"8.7": {
      "prune_kept_num": "[197,192,166,143,119,103,86,72,54,43,37,23]",
      "merge_kept_num": "[197,176,150,127,107,92,76,58,47,41,23,23]"}},
    "CAFormer-S36": {"5.2": {"prune_kept_num": "None", "merge_kept_num": "[196, 193, 137]"}}})");
  ASSERT_EQ(readSchedules(path).size(), 2U);
  const Schedule small = readSchedule(path.string() + "#ViT-S-DeiT 2.9");
  EXPECT_THAT(small.counts, ElementsAre(0, 3, 18, 20, 15, 8, 12, 14, 19, 24, 8, 53));
  EXPECT_EQ(std::accumulate(small.counts.begin(), small.counts.end(), 0), 197 - 3);
  EXPECT_EQ(small.tokens, 197);
  VitConfig vit;
  vit.class_token = true;
  vit.patch_size = 16;
  vit.input_height = vit.input_width = 224;
  EXPECT_EQ(otherTokensWarning(small.tokens, vit), "");
  EXPECT_EQ(otherTokensWarning(0, vit), "");
  vit.input_height = vit.input_width = 384;
  EXPECT_THAT(otherTokensWarning(small.tokens, vit),
              HasSubstr("made for a network of 197 tokens, and this one begins with 577"));
  const auto again = std::filesystem::path(::testing::TempDir()) / "again.json";
  writeSchedule(small, again);
  EXPECT_EQ(readSchedule(again.string()).tokens, 197);
  EXPECT_THAT(readSchedule(path.string() + "#ViT-B-MAE 8.7").counts,
              ElementsAre(0, 21, 26, 23, 20, 15, 16, 18, 11, 6, 18, 0));
  EXPECT_THAT(test::errorMessage([&] { readSchedule(path.string()); }),
              HasSubstr("one of: ViT-B-MAE 8.7, ViT-S-DeiT 2.9"));
}

TEST(Schedule, WhatIsNoneIsRefusedByName) {
  const auto problem = [](const std::string& text) {
    const auto path = written("bad-schedule.json", text);
    return test::errorMessage([&] { readSchedules(path); });
  };
  EXPECT_THAT(problem("{}"), HasSubstr("format is missing"));
  EXPECT_THAT(problem(R"({"format": 1})"), HasSubstr("counts is missing"));
  EXPECT_THAT(problem(R"({"format": 1, "counts": [8, -1]})"), HasSubstr("whole numbers from 0"));
  EXPECT_THAT(problem(R"({"format": 1, "counts": [8, 1.5]})"), HasSubstr("whole numbers from 0"));
  EXPECT_THAT(problem(R"({"format": 1, "counts": []})"), HasSubstr("counts"));
  EXPECT_THAT(problem(R"({"M": {"1": {"prune_kept_num": "[9,8]", "merge_kept_num": "[9]"}}})"),
              HasSubstr("M.1.merge_kept_num must have 2 numbers"));
  EXPECT_THAT(problem(R"({"M": {"1": {"prune_kept_num": "[9,x]", "merge_kept_num": "[9]"}}})"),
              HasSubstr("list of whole numbers"));
  EXPECT_THAT(test::errorMessage([] { readSchedules("/nowhere/s.json"); }),
              HasSubstr("/nowhere/s.json"));
  EXPECT_THAT(test::errorMessage([] { readSchedule(std::string(300, 'x')); }),
              HasSubstr("File name too long"));
  const auto loop = std::filesystem::path(::testing::TempDir()) / "loop.json";
  std::filesystem::remove(loop);
  std::filesystem::create_symlink("loop.json", loop);
  EXPECT_THAT(test::errorMessage([&] { readSchedule(loop.string()); }), HasSubstr("loop.json"));
}

}  // namespace
}  // namespace adamerge
