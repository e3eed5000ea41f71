// SPDX-License-Identifier: GPL-3.0-or-later
// An evaluation's numbers against plain arithmetic over single runs of the engine.
#include "adamerge/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "adamerge/image.h"
#include "error_message.h"
#include "measured_images.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::vector<MeasuredChoice> kChoices = {
    {{"adamerge", {{"r_max", std::int64_t{16}}}, nullptr, false}, std::nullopt},
    {{"tome", {{"r", std::int64_t{14}}}, nullptr, false}, std::nullopt}};

struct Expected {
  int correct = 0;
  int among_five = 0;
  int agrees = 0;
  double kl = 0;
  double cosine = 0;
  std::vector<double> paper;
  std::vector<double> tokens_last;
  double merged = 0;
};

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += (value - mean(values)) * (value - mean(values));
  return std::sqrt(sum / static_cast<double>(values.size()));
}

class EvaluateTest : public testing::Test {
 protected:
  void SetUp() override { test::makeClassFolders(folder_.path()); }

  Dataset open(const DatasetOptions& options = {}) const {
    return Dataset::open(folder_.path(), test::bundledEngine().info(), options);
  }

  /// One image at a time, sums as they come.
  static Expected measure(const Dataset& set, const MethodChoice& choice) {
    Expected expected;
    const Engine& engine = test::bundledEngine();
    for (std::size_t i = 0; i < set.size(); ++i) {
      const InputTensor input = prepareImage(set.load(i), engine.info().preprocessing).input;
      const ImageResult plain = engine.run({&input, 1}, {}).front();
      const ImageResult result = engine.run({&input, 1}, choice).front();
      const auto top = topPredictions(result.logits, engine.info().labels, 5);
      if (top[0].index == set.label(i)) ++expected.correct;
      for (const Prediction& prediction : top) {
        if (prediction.index == set.label(i)) ++expected.among_five;
      }
      const Fidelity fidelity = compareLogits(plain.logits, result.logits);
      if (fidelity.top1_agrees) ++expected.agrees;
      expected.kl += fidelity.kl_divergence / static_cast<double>(set.size());
      expected.cosine += fidelity.logit_cosine / static_cast<double>(set.size());
      expected.paper.push_back(result.flops.paper);
      expected.tokens_last.push_back(result.layers.back().tokens_in);
      for (const LayerTrace& layer : result.layers) {
        expected.merged += layer.merged / static_cast<double>(set.size());
      }
    }
    return expected;
  }

  static void expectEqual(const EvaluatedPoint& point, const Expected& expected, int images) {
    const AccuracyPoint& accuracy = point.accuracy;
    EXPECT_EQ(accuracy.images, images);
    EXPECT_DOUBLE_EQ(accuracy.top1.value(), 100.0 * expected.correct / images);
    EXPECT_DOUBLE_EQ(accuracy.top5.value(), 100.0 * expected.among_five / images);
    EXPECT_DOUBLE_EQ(accuracy.agreement.value(), 100.0 * expected.agrees / images);
    EXPECT_NEAR(point.accuracy.kl_divergence.value(), expected.kl, 1e-8);
    EXPECT_NEAR(point.logit_cosine.value(), expected.cosine, 1e-8);
    EXPECT_NEAR(accuracy.flops.paper, mean(expected.paper), 1e-12);
    EXPECT_NEAR(point.flops_deviation.paper, deviation(expected.paper), 1e-9);
    EXPECT_NEAR(accuracy.merged_mean.value(), expected.merged, 1e-9);
    EXPECT_NEAR(accuracy.tokens_per_block.back(), mean(expected.tokens_last), 1e-9);
    EXPECT_NEAR(point.tokens_deviation.back(), deviation(expected.tokens_last), 1e-9);
    EXPECT_GT(accuracy.images_per_second.value(), 0);
  }

  test::TemporaryFolder folder_;
};

TEST_F(EvaluateTest, EqualsArithmeticOverSingleImages) {
  const Dataset set = open();
  const Evaluation evaluation =
      evaluate(test::bundledEngine(), set, kChoices, {.batch = 5, .lanes = 2});
  ASSERT_EQ(evaluation.points.size(), 3U);
  EXPECT_TRUE(evaluation.complete());
  EXPECT_EQ(evaluation.images(), 12);
  EXPECT_EQ(evaluation.points[0].accuracy.method, "none");
  EXPECT_EQ(evaluation.points[0].accuracy.agreement, 100);
  EXPECT_EQ(evaluation.points[0].flops_deviation.paper, 0);
  for (const EvaluatedPoint& point : evaluation.points) {
    SCOPED_TRACE(point.accuracy.method);
    expectEqual(point, measure(set, point.choice), 12);
  }
  EXPECT_GT(evaluation.points[1].flops_deviation.paper, 0) << "AdaMerge's counts follow the image";
  EXPECT_EQ(evaluation.points[2].flops_deviation.paper, 0) << "ToMe's do not";
}

TEST_F(EvaluateTest, DoesNotDependOnBatchesAndLanes) {
  const Dataset set = open();
  std::vector<std::string> texts;
  for (const auto& [batch, lanes] :
       std::vector<std::pair<std::size_t, int>>{{1, 1}, {5, 3}, {50, 2}}) {
    Evaluation evaluation =
        evaluate(test::bundledEngine(), set, kChoices, {.batch = batch, .lanes = lanes});
    for (EvaluatedPoint& point : evaluation.points) point.accuracy.images_per_second.reset();
    texts.push_back(evaluationJson(evaluation, ""));
  }
  EXPECT_EQ(texts[1], texts[0]);
  EXPECT_EQ(texts[2], texts[0]);
}

TEST_F(EvaluateTest, TellsWhatIsMeasuredSoFar) {
  std::vector<Evaluation> told;
  EvaluationOptions options{.batch = 5};
  options.interim = [&](const Evaluation& evaluation) { told.push_back(evaluation); };
  options.seconds_between_interims = 0;
  const Evaluation whole = evaluate(test::bundledEngine(), open(), kChoices, options);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0].done, 5U);
  EXPECT_FALSE(told[0].complete());
  EXPECT_EQ(told[0].points[1].right.size(), 5U);
  EXPECT_EQ(told[1].done, 10U);
  EXPECT_EQ(evaluationJson(told[2], ""), evaluationJson(whole, ""));
}

TEST_F(EvaluateTest, ComparesWithTheUnmergedModelWithoutLabels) {
  const Dataset set = open({.unlabelled = true});
  const Evaluation evaluation = evaluate(test::bundledEngine(), set, kChoices);
  const EvaluatedPoint& point = evaluation.points[1];
  const Expected expected = measure(set, point.choice);
  EXPECT_EQ(point.accuracy.top1, std::nullopt);
  EXPECT_EQ(point.accuracy.top5, std::nullopt);
  EXPECT_DOUBLE_EQ(point.accuracy.agreement.value(), 100.0 * expected.agrees / 12);
  EXPECT_NEAR(point.accuracy.kl_divergence.value(), expected.kl, 1e-8);
  EXPECT_EQ(std::count(point.right.begin(), point.right.end(), true), expected.agrees);
}

TEST_F(EvaluateTest, GivesTheSameFromTheBinaryFormat) {
  test::TemporaryFolder binary;
  test::writeCifarBatch(binary.path() / "test_batch.bin", {0, 0, 1, 1, 2, 2, 8, 8});
  for (const char* name : {"airplane", "Automobile", "BIRD", "ship"}) {
    fs::remove(folder_.path() / name / "drawn.png");
  }
  const auto& model = test::bundledEngine().info();
  const Evaluation from_files = evaluate(test::bundledEngine(), open(), kChoices);
  const Evaluation from_batch =
      evaluate(test::bundledEngine(), Dataset::open(binary.path(), model), kChoices);
  for (std::size_t i = 0; i < from_files.points.size(); ++i) {
    EXPECT_EQ(from_batch.points[i].accuracy.top1, from_files.points[i].accuracy.top1);
    EXPECT_EQ(from_batch.points[i].accuracy.kl_divergence,
              from_files.points[i].accuracy.kl_divergence);
    EXPECT_EQ(from_batch.points[i].accuracy.top5, from_files.points[i].accuracy.top5);
  }
}

TEST_F(EvaluateTest, NamesAndSkipsWhatCannotBeRead) {
  const Evaluation good = evaluate(test::bundledEngine(), open(), kChoices);
  test::writeBytes(folder_.path() / "BIRD" / "broken.png", "no picture");
  test::writeBytes(folder_.path() / "ship" / "empty.jpg", "");
  const Evaluation evaluation = evaluate(test::bundledEngine(), open(), kChoices, {.batch = 3});
  ASSERT_EQ(evaluation.skipped.size(), 2U);
  EXPECT_EQ(evaluation.skipped[0].name, "BIRD/broken.png");
  EXPECT_THAT(evaluation.skipped[1].reason, HasSubstr("empty.jpg: "));
  EXPECT_EQ(evaluation.images(), 12);
  for (std::size_t i = 0; i < good.points.size(); ++i) {
    EXPECT_EQ(evaluation.points[i].accuracy.top1, good.points[i].accuracy.top1);
    EXPECT_EQ(evaluation.points[i].accuracy.flops.paper, good.points[i].accuracy.flops.paper);
  }
}

TEST_F(EvaluateTest, RefusesASetWithoutAReadableImage) {
  test::TemporaryFolder bad;
  test::writeBytes(bad.path() / "cat" / "a.png", "text");
  test::writeBytes(bad.path() / "dog" / "b.png", "text");
  const Dataset set = Dataset::open(bad.path(), test::bundledEngine().info());
  EXPECT_THAT(test::errorMessage([&] { evaluate(test::bundledEngine(), set, kChoices); }),
              testing::AllOf(HasSubstr("none of the 2 images"), HasSubstr("a.png")));
}

TEST_F(EvaluateTest, WritesWhatTheAccuracyRecordReads) {
  const Evaluation evaluation = evaluate(test::bundledEngine(), open(), kChoices);
  const fs::path file = folder_.path() / "results.json";
  std::ofstream(file) << evaluationJson(evaluation, "adamerge evaluate set");
  const AccuracyRecord record = readAccuracyRecord(file);
  EXPECT_EQ(record.model, "vit-tiny-cifar10");
  EXPECT_EQ(record.images, 12);
  EXPECT_EQ(record.command, "adamerge evaluate set");
  ASSERT_EQ(record.points.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const AccuracyPoint& wanted = evaluation.points[i].accuracy;
    EXPECT_EQ(record.points[i].method, wanted.method);
    EXPECT_EQ(record.points[i].settings, wanted.settings);
    EXPECT_EQ(record.points[i].top1, wanted.top1);
    EXPECT_EQ(record.points[i].top1_interval->low, wanted.top1_interval->low);
    EXPECT_EQ(record.points[i].flops.total, wanted.flops.total);
    EXPECT_EQ(record.points[i].tokens_per_block, wanted.tokens_per_block);
  }
}

TEST_F(EvaluateTest, WritesOneCsvRowPerPoint) {
  const std::string csv = evaluationCsv(evaluate(test::bundledEngine(), open(), kChoices));
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < csv.size();) {
    const std::size_t end = csv.find("\r\n", start);
    lines.push_back(csv.substr(start, end - start));
    start = end + 2;
  }
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_THAT(lines[2], testing::StartsWith("adamerge,\"AdaMerge, r_max 16\",,12,"));
  for (const std::string& line : lines) {
    bool quoted = false;
    int fields = 1;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (c == ',' && !quoted) ++fields;
    }
    EXPECT_EQ(fields, 21 + 2 * 12) << line;
  }
}

TEST_F(EvaluateTest, ASetOpenedForAnotherModelIsRefused) {
  // A model of thirty classes, the last ten of which are the bundled model's.
  ModelInfo other = test::bundledEngine().info();
  std::vector<std::string> labels;
  for (int i = 0; i < 20; ++i) labels.push_back("other " + std::to_string(i));
  labels.insert(labels.end(), other.labels.begin(), other.labels.end());
  other.labels = labels;
  other.vit.classes = static_cast<int>(labels.size());
  const Dataset dataset = Dataset::open(folder_.path(), other);
  ASSERT_GE(dataset.label(0), 20);
  EXPECT_THAT(test::errorMessage([&] { evaluate(test::bundledEngine(), dataset, kChoices); }),
              testing::AllOf(HasSubstr(dataset.name()), HasSubstr("10 classes"),
                             HasSubstr("opened for another model")));
}

TEST_F(EvaluateTest, ChoicesUnderOtherStatisticsAreMeasuredEach) {
  const Engine& engine = test::bundledEngine();
  Statistics statistics = *engine.statistics();
  for (StatisticsEntry& entry : statistics.entries) {
    for (double& mu : entry.mu) mu *= 2;
  }
  const MethodChoice own{"adamerge", {}, nullptr, false};
  MethodChoice named = own;
  named.statistics = std::make_shared<const Statistics>(statistics);
  const std::vector<MeasuredChoice> choices{{own}, {named}, {own}};
  const Evaluation evaluation = evaluate(engine, open(), choices);
  ASSERT_EQ(evaluation.points.size(), 3U);
  EXPECT_NE(evaluation.points[1].accuracy.flops.paper, evaluation.points[2].accuracy.flops.paper);
}

}  // namespace
}  // namespace adamerge
