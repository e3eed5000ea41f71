// SPDX-License-Identifier: GPL-3.0-or-later
// results.json: what is read, and what is said of files that are not usable.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "adamerge/evaluate.h"
#include "error_message.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

json goodRecord() {
  return json::parse(R"({
    "model": "vit-tiny", "dataset": "CIFAR-10 test", "images": 10000, "skipped": ["bad.png"],
    "device": "cpu", "dtype": "float32", "command": "adamerge evaluate test",
    "points": [
      {"method": "none", "settings": {}, "images": 9999, "top1": 93.5,
       "top1_interval": [93.0, 94.0], "top5": 99.5, "agreement": 100, "flops_paper": 1.1,
       "flops_total": 1.2, "merged_mean": 0, "tokens_per_block": [197, 197],
       "images_per_second": 40.5},
      {"method": "adamerge", "settings": {"r_max": 8, "alpha": 2}, "top1": null,
       "top1_interval": null, "top5": null, "agreement": 98.25, "kl_divergence": 0.0125,
       "flops_paper": 0.9,
       "flops_total": 1.0, "images_per_second": null}]})");
}

class AccuracyRecordTest : public ::testing::Test {
 protected:
  AccuracyRecord read(const std::string& text) {
    std::ofstream(path_) << text;
    return readAccuracyRecord(path_);
  }
  std::string messageFor(const std::string& text) {
    return test::errorMessage([&] { read(text); });
  }
  /// What is said of the good record with one value replaced.
  std::string messageWith(const char* pointer, const json& value) {
    json record = goodRecord();
    record[json::json_pointer(pointer)] = value;
    return messageFor(record.dump());
  }
  std::string messageWithout(const char* parent, const char* key) {
    json record = goodRecord();
    record.at(json::json_pointer(parent)).erase(key);
    return messageFor(record.dump());
  }

  test::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "results.json";
};

TEST_F(AccuracyRecordTest, ReadsEveryField) {
  const AccuracyRecord record = read(goodRecord().dump());
  EXPECT_EQ(record.model, "vit-tiny");
  EXPECT_EQ(record.dataset, "CIFAR-10 test");
  EXPECT_EQ(record.images, 10000);
  EXPECT_THAT(record.skipped, ElementsAre("bad.png"));
  EXPECT_EQ(record.device, "cpu");
  EXPECT_EQ(record.dtype, "float32");
  EXPECT_EQ(record.command, "adamerge evaluate test");
  ASSERT_EQ(record.points.size(), 2U);
  const AccuracyPoint& first = record.points[0];
  EXPECT_EQ(record.unmerged(), &first);
  EXPECT_EQ(first.images, 9999);
  EXPECT_EQ(first.top1, 93.5);
  EXPECT_EQ(first.top1_interval->low, 93.0);
  EXPECT_EQ(first.top1_interval->high, 94.0);
  EXPECT_EQ(first.top5, 99.5);
  EXPECT_EQ(first.agreement, 100.0);
  EXPECT_FALSE(first.kl_divergence);
  EXPECT_EQ(record.points[1].kl_divergence, 0.0125);
  EXPECT_EQ(first.flops.paper, 1.1);
  EXPECT_EQ(first.flops.total, 1.2);
  EXPECT_EQ(first.merged_mean, 0.0);
  EXPECT_THAT(first.tokens_per_block, ElementsAre(197, 197));
  EXPECT_EQ(first.images_per_second, 40.5);
}

TEST_F(AccuracyRecordTest, UnlabelledPointsHaveNoAccuracy) {
  const AccuracyPoint point = read(goodRecord().dump()).points[1];
  EXPECT_FALSE(point.top1);
  EXPECT_FALSE(point.top1_interval);
  EXPECT_FALSE(point.top5);
  EXPECT_FALSE(point.images_per_second);
  EXPECT_EQ(point.images, 10000);
}

TEST_F(AccuracyRecordTest, SettingsAreCompleted) {
  const AccuracyPoint point = read(goodRecord().dump()).points[1];
  EXPECT_EQ(
      point.settings,
      completeSettings({"adamerge", {{"r_max", std::int64_t{8}}, {"alpha", 2.0}}, nullptr, false}));
}

TEST_F(AccuracyRecordTest, FilesThatAreNoRecord) {
  EXPECT_THAT(test::errorMessage([&] { readAccuracyRecord(folder_.path() / "none.json"); }),
              HasSubstr("none.json"));
  EXPECT_THAT(test::errorMessage([&] { readAccuracyRecord(folder_.path()); }),
              HasSubstr(folder_.path().string()));
  EXPECT_THAT(messageFor(""), HasSubstr("results.json"));
  EXPECT_THAT(messageFor("{\"model\": "), HasSubstr("not valid JSON"));
  EXPECT_THAT(messageFor("[1]"), HasSubstr("the top level is a JSON array, an object"));
  EXPECT_THAT(messageFor("{\"images\": 1e999}"), HasSubstr("too large"));
}

TEST_F(AccuracyRecordTest, BrokenFieldsAreNamed) {
  EXPECT_THAT(messageWithout("", "model"), HasSubstr("model is missing"));
  EXPECT_THAT(messageWith("/dataset", ""), HasSubstr("dataset is empty"));
  EXPECT_THAT(messageWith("/images", 0), HasSubstr("images is 0, an integer from 1"));
  EXPECT_THAT(messageWith("/images", 1e12), HasSubstr("images is 1000000000000.0"));
  EXPECT_THAT(messageWith("/skipped", {1, 2}), HasSubstr("skipped holds 1, only texts"));
  EXPECT_THAT(messageWith("/device", 3), HasSubstr("device is 3, a text"));
  EXPECT_THAT(messageWith("/points", json::array()), HasSubstr("at least one object"));
  EXPECT_THAT(messageWith("/points", json::object()), HasSubstr("points is a JSON object"));
  EXPECT_THAT(messageWith("/points/1", 3), HasSubstr("points[1] is 3, an object"));
}

TEST_F(AccuracyRecordTest, BrokenPointsAreNamed) {
  EXPECT_THAT(messageWithout("/points/1", "method"), HasSubstr("points[1].method is missing"));
  EXPECT_THAT(messageWith("/points/1/method", "magic"), HasSubstr("no method 'magic'"));
  EXPECT_THAT(messageWith("/points/1/settings", 7),
              HasSubstr("points[1].settings is 7, an object"));
  EXPECT_THAT(messageWith("/points/1/settings/r_max", -1), HasSubstr("r-max"));
  EXPECT_THAT(messageWith("/points/1/settings/colour", "red"), HasSubstr("colour"));
  EXPECT_THAT(messageWith("/points/1/settings/r_max", json::object()),
              HasSubstr("points[1].settings.r_max is a JSON object"));
  EXPECT_THAT(messageWithout("/points/0", "top1"), HasSubstr("points[0].top1 is missing"));
  EXPECT_THAT(messageWith("/points/0/top1", 101), HasSubstr("0 to 100"));
  EXPECT_THAT(messageWith("/points/0/top1", "93"), HasSubstr("points[0].top1 is \"93\", a number"));
  EXPECT_THAT(messageWith("/points/0/agreement", -1), HasSubstr("points[0].agreement is -1"));
  EXPECT_THAT(messageWith("/points/0/flops_paper", 0), HasSubstr("above 0"));
  EXPECT_THAT(messageWith("/points/0/flops_total", nullptr), HasSubstr("flops_total is missing"));
  EXPECT_THAT(messageWith("/points/0/images_per_second", -2), HasSubstr("images_per_second"));
  EXPECT_THAT(messageWith("/points/0/tokens_per_block", {197, 0}), HasSubstr("above 0"));
  EXPECT_THAT(messageWith("/points/0/tokens_per_block", {197, "x"}),
              HasSubstr("tokens_per_block holds \"x\""));
}

TEST_F(AccuracyRecordTest, IntervalsHoldTheirValue) {
  EXPECT_THAT(messageWith("/points/0/top1_interval", {94, 95}), HasSubstr("hold top1"));
  EXPECT_THAT(messageWith("/points/0/top1_interval", {93, 101}), HasSubstr("0 to 100"));
  EXPECT_THAT(messageWith("/points/0/top1_interval", {93}), HasSubstr("[low, high]"));
  EXPECT_THAT(messageWith("/points/1/top1_interval", {1, 2}), HasSubstr("without top1"));
}

TEST_F(AccuracyRecordTest, TheUnmergedModelMustBeAPoint) {
  json record = goodRecord();
  record["points"].erase(0);
  EXPECT_THAT(messageFor(record.dump()), HasSubstr("hold none of the method none"));
}

}  // namespace
}  // namespace adamerge
