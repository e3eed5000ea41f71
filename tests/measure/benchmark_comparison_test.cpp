// SPDX-License-Identifier: GPL-3.0-or-later
// What is called slower or faster between two files, and which files are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "adamerge/benchmark.h"
#include "error_message.h"
#include "measured_images.h"
#include "temporary_folder.h"

namespace adamerge::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr double kTolerance = 1.05;

json timeOf(int batch, double lower, double median, double upper) {
  return {{"name", "ToMe, r 8"},
          {"method", "tome"},
          {"settings", {{"r", 8}, {"proportional_attention", true}}},
          {"batch", batch},
          {"milliseconds",
           {{"median", median},
            {"lower_quartile", lower},
            {"upper_quartile", upper},
            {"minimum", lower / 2},
            {"maximum", upper * 2}}}};
}

json fileOf(const std::vector<json>& points) {
  return {{"benchmark_format", 1},
          {"machine", {{"processor", "Abacus"}, {"cores", 2}, {"instruction_set", "beads"}}},
          {"models",
           {{{"model", "vit"},
             {"input_size", {224, 224}},
             {"device", "cpu"},
             {"dtype", "float32"},
             {"threads", 2},
             {"product_gflops", {{"median", 300}}},
             {"points", points}}}}};
}

class Comparison : public testing::Test {
 protected:
  std::filesystem::path write(const json& content) {
    const auto file = folder_.path() / (std::to_string(++files_) + ".json");
    writeBytes(file, content.dump());
    return file;
  }
  RecordedBenchmark read(const json& content) { return readBenchmark(write(content)); }
  BenchmarkComparison compare(const json& before, const json& after) {
    return compareBenchmarks(read(before), read(after), kTolerance);
  }
  Verdict verdict(const json& before, const json& after) {
    return compare(fileOf({before}), fileOf({after})).shared.at(0).verdict;
  }

 private:
  TemporaryFolder folder_;
  int files_ = 0;
};

TEST_F(Comparison, CallsSlowerWhatIsSlowerBeyondDoubt) {
  const json before = timeOf(1, 98, 100, 102);
  EXPECT_EQ(verdict(before, timeOf(1, 108, 110, 112)), Verdict::kSlower);
  EXPECT_EQ(verdict(before, timeOf(1, 88, 90, 92)), Verdict::kFaster);
  EXPECT_EQ(verdict(before, before), Verdict::kUnchanged);
  // More than 5 %, but the quartiles overlap.
  EXPECT_EQ(verdict(before, timeOf(1, 101, 110, 120)), Verdict::kUnchanged);
  EXPECT_EQ(verdict(before, timeOf(1, 80, 90, 99)), Verdict::kUnchanged);
  // They do not, but it is less.
  EXPECT_EQ(verdict(before, timeOf(1, 103, 104, 105)), Verdict::kUnchanged);
  EXPECT_EQ(verdict(before, timeOf(1, 96, 96.5, 97)), Verdict::kUnchanged);
  const RecordedBenchmark old_file = read(fileOf({before}));
  const RecordedBenchmark new_file = read(fileOf({timeOf(1, 108, 110, 112)}));
  const TimeComparison tolerant = compareBenchmarks(old_file, new_file, 1.2).shared.at(0);
  EXPECT_EQ(tolerant.verdict, Verdict::kUnchanged);
  EXPECT_DOUBLE_EQ(tolerant.ratio, 1.1);
}

TEST_F(Comparison, MatchesConfigurationsThatAreAlikeInEverything) {
  const json before = fileOf({timeOf(1, 9, 10, 11), timeOf(8, 79, 80, 81)});
  const BenchmarkComparison comparison =
      compare(before, fileOf({timeOf(32, 300, 310, 320), timeOf(8, 79, 80, 81)}));
  ASSERT_EQ(comparison.shared.size(), 1U);
  EXPECT_EQ(comparison.shared[0].before.batch, 8);
  ASSERT_EQ(comparison.only_before.size(), 1U);
  EXPECT_EQ(comparison.only_before[0].batch, 1);
  ASSERT_EQ(comparison.only_after.size(), 1U);
  EXPECT_EQ(comparison.only_after[0].batch, 32);
  // A name is for people only; what it stands for counts.
  json renamed = before;
  renamed["models"][0]["points"][0]["name"] = "ToMe";
  EXPECT_EQ(compare(before, renamed).shared.size(), 2U);
  const std::vector<std::pair<const char*, json>> changes = {
      {"/models/0/model", "other"},
      {"/models/0/input_size/0", 384},
      {"/models/0/device", "cuda:0"},
      {"/models/0/dtype", "bfloat16"},
      {"/models/0/threads", 1},
      {"/models/0/points/0/method", "pitome"},
      {"/models/0/points/0/settings/r", 9}};
  for (const auto& [place, value] : changes) {
    json other = fileOf({timeOf(1, 9, 10, 11)});
    other[json::json_pointer(place)] = value;
    EXPECT_TRUE(compare(before, other).shared.empty()) << place;
  }
}

TEST_F(Comparison, KnowsAnotherMachine) {
  const RecordedBenchmark here = read(fileOf({timeOf(1, 9, 10, 11)}));
  EXPECT_TRUE(here.sameMachine(here));
  for (const auto& [key, value] : {std::pair<const char*, json>{"processor", "Slide rule"},
                                   {"cores", 4},
                                   {"instruction_set", "cursor"}}) {
    json other = fileOf({timeOf(1, 9, 10, 11)});
    other["machine"][key] = value;
    EXPECT_FALSE(here.sameMachine(read(other))) << key;
  }
}

TEST_F(Comparison, RefusesFilesThatAreNoBenchmark) {
  struct Damage {
    const char* place;
    json value;  ///< null: the member is removed
    const char* says;
  };
  const std::vector<Damage> damages = {
      {"/benchmark_format", nullptr, "was not written by 'adamerge bench --json'"},
      {"/benchmark_format", 2, "another version"},
      {"/machine", nullptr, "machine.processor is missing"},
      {"/machine", 3, "machine is 3, an object"},
      {"/machine/cores", "two", "machine.cores is \"two\""},
      {"/models", "vit", "models is \"vit\", a list"},
      {"/models", json::array(), "models is a JSON array, a list of at least one object"},
      {"/models/0/model", 7, "models[0].model is 7, a text"},
      {"/models/0/input_size", {224}, "models[0].input_size is a JSON array, a size"},
      {"/models/0/threads", 0, "models[0].threads is 0"},
      {"/models/0/product_gflops", nullptr, "models[0].product_gflops.median is missing"},
      {"/models/0/points", nullptr, "models[0].points is missing"},
      {"/models/0/points/0", 1, "models[0].points[0] is 1, an object"},
      {"/models/0/points/0/settings", 1, "models[0].points[0].settings is 1, an object"},
      {"/models/0/points/0/batch", 1.5, "points[0].batch is 1.5"},
      {"/models/0/points/0/milliseconds/median", -1,
       "points[0].milliseconds.median is -1, a number above 0"},
      {"/models/0/points/0/milliseconds/median", "fast",
       "milliseconds.median is \"fast\", a number"},
      {"/models/0/points/0/milliseconds/median", 1000, "do not ascend"}};
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.place);
    json content = fileOf({timeOf(1, 9, 10, 11)});
    const json::json_pointer place(damage.place);
    if (damage.value.is_null()) {
      content[place.parent_pointer()].erase(place.back());
    } else {
      content[place] = damage.value;
    }
    const auto file = write(content);
    EXPECT_THAT(errorMessage([&] { readBenchmark(file); }),
                testing::AllOf(HasSubstr(file.string()), HasSubstr(damage.says)));
  }
  EXPECT_THAT(errorMessage([&] { read(json::array()); }), HasSubstr("was not written by"));
  EXPECT_THAT(errorMessage([] { readBenchmark("missing.json"); }), HasSubstr("missing.json"));
}

}  // namespace
}  // namespace adamerge::test
