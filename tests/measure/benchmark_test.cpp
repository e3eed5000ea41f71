// SPDX-License-Identifier: GPL-3.0-or-later
// What a benchmark runs, and what it makes of its times; nothing about the times themselves.
#include "adamerge/benchmark.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "adamerge/report.h"
#include "error_message.h"
#include "measured_images.h"

namespace adamerge::test {
namespace {

using testing::HasSubstr;

std::vector<InputTensor> madeImages(std::size_t count) {
  return syntheticImages(bundledEngine().info().vit, count, /*seed=*/3);
}

const std::vector<MeasuredChoice> kCases = {{{"tome", {{"r", std::int64_t{8}}}, nullptr, false}},
                                            {{"adamerge", {}, nullptr, false}, 0.9}};

TEST(Spread, IsThatOfNumPy) {
  // numpy.percentile([4, 1, 3, 2], [25, 50, 75]) = 1.75, 2.5, 3.25
  const Spread four = spreadOf({4, 1, 3, 2});
  EXPECT_DOUBLE_EQ(four.median, 2.5);
  EXPECT_DOUBLE_EQ(four.lower_quartile, 1.75);
  EXPECT_DOUBLE_EQ(four.upper_quartile, 3.25);
  EXPECT_EQ(four.minimum, 1);
  EXPECT_EQ(four.maximum, 4);
  // numpy.percentile([10, 30, 20], [25, 75]) = 15, 25
  const Spread three = spreadOf({10, 30, 20});
  EXPECT_DOUBLE_EQ(three.lower_quartile, 15);
  EXPECT_DOUBLE_EQ(three.median, 20);
  EXPECT_DOUBLE_EQ(three.upper_quartile, 25);
  const Spread one = spreadOf({7});
  EXPECT_EQ(one.lower_quartile, 7);
  EXPECT_EQ(one.median, 7);
  EXPECT_EQ(one.maximum, 7);
}

/// Two batch sizes of which the second has the figures worked out below.
Benchmark knownBenchmark() {
  Benchmark benchmark;
  benchmark.model = "known";
  benchmark.dtype = "float32";
  benchmark.product_gflops = {400, 100, 200};
  BenchmarkPoint unmerged;
  unmerged.batch = 1;
  unmerged.milliseconds = {1, 1, 1};
  unmerged.flops = {{9, 9}, {9, 9}, {9, 9}};
  benchmark.points.push_back(unmerged);
  unmerged.batch = 2;
  unmerged.milliseconds = {20, 40, 30};
  unmerged.flops = {{2, 2.5}, {2, 2.5}, {2, 2.5}};
  benchmark.points.push_back(unmerged);
  BenchmarkPoint merged = unmerged;
  merged.choice = kCases[0].choice;
  merged.milliseconds = {10, 16, 20};
  merged.flops = {{1, 2}, {0.5, 2}, {1, 2}};
  benchmark.points.push_back(merged);
  return benchmark;
}

TEST(BenchmarkFigures, ComeFromTheRunsOneByOne) {
  const Benchmark benchmark = knownBenchmark();
  const BenchmarkFigures merged = figuresOf(benchmark, 2);
  EXPECT_DOUBLE_EQ(merged.milliseconds.median, 16);
  EXPECT_DOUBLE_EQ(merged.images_per_second, 125);  // 2 images in 16 ms
  EXPECT_NEAR(merged.flops.paper, 2.5 / 3, 1e-12);
  EXPECT_NEAR(merged.flops.total, 2, 1e-12);
  EXPECT_NEAR(merged.gflops_per_second, 2 * 2.0 * 2 / 0.016, 1e-9);
  EXPECT_NEAR(merged.peak_share, 500.0 / 200, 1e-12);
  // 20/10, 40/16 and 30/20; FLOPs 2/1, 2/0.5 and 2/1 times fewer.
  ASSERT_TRUE(merged.speedup && merged.realised);
  EXPECT_DOUBLE_EQ(merged.speedup->median, 2);
  EXPECT_DOUBLE_EQ(merged.speedup->minimum, 1.5);
  EXPECT_DOUBLE_EQ(merged.speedup->maximum, 2.5);
  EXPECT_DOUBLE_EQ(merged.realised->median, 0.75);
  EXPECT_DOUBLE_EQ(merged.realised->minimum, 0.625);
  EXPECT_DOUBLE_EQ(merged.realised->maximum, 1);
  for (const std::size_t unmerged : {0U, 1U}) {
    EXPECT_FALSE(figuresOf(benchmark, unmerged).speedup);
    EXPECT_FALSE(figuresOf(benchmark, unmerged).realised);
  }
}

TEST(RunBenchmark, MeasuresTheUnmergedModelAndEveryCaseAtEveryBatchSize) {
  const Engine& engine = bundledEngine();
  const std::vector<InputTensor> images = madeImages(4);
  const Benchmark benchmark =
      runBenchmark(engine, images, kCases, {.batches = {1, 2}, .warmup = 1, .runs = 2});
  EXPECT_TRUE(benchmark.complete);
  EXPECT_EQ(benchmark.model, engine.info().name);
  EXPECT_EQ(benchmark.device, "cpu");
  EXPECT_EQ(benchmark.dtype, engine.dtype());
  EXPECT_EQ(benchmark.threads, 1);
  EXPECT_EQ(benchmark.parameters, engine.info().parameters);
  EXPECT_EQ(benchmark.weight_bytes, static_cast<std::uint64_t>(benchmark.parameters) *
                                        (engine.dtype() == "float32" ? 4 : 2));
  ASSERT_EQ(benchmark.points.size(), 6U);
  EXPECT_EQ(benchmark.product_gflops.size(), 4U);
  for (std::size_t i = 0; i < benchmark.points.size(); ++i) {
    const BenchmarkPoint& point = benchmark.points[i];
    EXPECT_EQ(point.batch, i < 3 ? 1 : 2);
    EXPECT_EQ(point.choice.method, (std::vector<std::string>{"none", "tome", "adamerge"})[i % 3]);
    EXPECT_EQ(point.tier.has_value(), i % 3 == 2);
    EXPECT_TRUE(point.calibrated);
    ASSERT_EQ(point.milliseconds.size(), 2U);
    for (const double time : point.milliseconds) EXPECT_GT(time, 0);
    // The i-th run takes the images from i times the batch size on.
    for (std::size_t run = 0; run < 2; ++run) {
      const auto batch = static_cast<std::size_t>(point.batch);
      const std::size_t first = run * batch % (images.size() + 1 - batch);
      double paper = 0;
      for (const ImageResult& image :
           engine.run(std::span(images).subspan(first, batch), point.choice, {.trace = false})) {
        paper += image.flops.paper / point.batch;
      }
      EXPECT_NEAR(point.flops[run].paper, paper, 1e-9) << i << " " << run;
    }
#if defined(__linux__)
    ASSERT_TRUE(point.resident_bytes);
    EXPECT_GT(*point.resident_bytes, benchmark.weight_bytes);
    // Linux counts pages a little late. Where it does not let us reset the peak, it is not told.
    constexpr std::uint64_t kUncounted = 1 << 20;
    EXPECT_GE(point.peak_bytes.value_or(*point.resident_bytes) + kUncounted, *point.resident_bytes);
#endif
  }
}

TEST(RunBenchmark, RepeatsImagesWhereThereAreTooFew) {
  const Benchmark benchmark =
      runBenchmark(bundledEngine(), madeImages(1), {}, {.batches = {3}, .warmup = 1, .runs = 1});
  ASSERT_EQ(benchmark.points.size(), 1U);
  EXPECT_EQ(benchmark.points[0].batch, 3);
  EXPECT_NEAR(benchmark.points[0].flops[0].paper, unmergedFlops(bundledEngine().info().vit).paper,
              1e-9);
}

TEST(RunBenchmark, EndsWithTheRoundThatPassesTheTime) {
  const BenchmarkOptions options{.batches = {1}, .warmup = 1, .runs = 50, .seconds = 1e-9};
  const Benchmark benchmark = runBenchmark(bundledEngine(), madeImages(1), {}, options);
  EXPECT_TRUE(benchmark.complete);
  EXPECT_EQ(benchmark.points[0].milliseconds.size(), 1U);
}

/// Stops once so many images are through.
Benchmark stoppedAfter(std::int64_t images) {
  std::stop_source source;
  std::int64_t last = 0;
  const auto progress = [&](const Progress& progress) {
    EXPECT_GE(progress.done, last);
    EXPECT_LE(progress.done, progress.total);
    last = progress.done;
    if (progress.done >= images) source.request_stop();
  };
  return runBenchmark(bundledEngine(), madeImages(2), {&kCases[0], 1},
                      {.batches = {1, 2}, .warmup = 1, .runs = 3}, progress, source.get_token());
}

TEST(RunBenchmark, KeepsWholeRoundsWhenStopped) {
  // Two cases: images 1 and 2 warm up, 3 and 4 are a round, 5 is half of one.
  const Benchmark one = stoppedAfter(5);
  EXPECT_FALSE(one.complete);
  EXPECT_EQ(one.problem, "");
  ASSERT_EQ(one.points.size(), 2U);
  for (const BenchmarkPoint& point : one.points) {
    EXPECT_EQ(point.milliseconds.size(), 1U);
    EXPECT_EQ(point.flops.size(), 1U);
  }
  EXPECT_TRUE(figuresOf(one, 1).speedup);
  // The next batch size has only begun.
  EXPECT_EQ(stoppedAfter(10).points.size(), 2U);
  EXPECT_THROW(stoppedAfter(3), Cancelled);
}

TEST(RunBenchmark, RefusesWhatItCannotMeasure) {
  const Engine& engine = bundledEngine();
  const std::vector<InputTensor> images = madeImages(1);
  const auto message = [&](std::span<const InputTensor> given, const BenchmarkOptions& options) {
    return errorMessage([&] { runBenchmark(engine, given, {}, options); });
  };
  EXPECT_THAT(message({}, {}), HasSubstr("no image"));
  EXPECT_THAT(message(images, {.batches = {}}), HasSubstr("batch sizes"));
  EXPECT_THAT(message(images, {.batches = {0}}), HasSubstr("batch sizes"));
  EXPECT_THAT(message(images, {.batches = {8, 1}}), HasSubstr("batch sizes"));
  EXPECT_THAT(message(images, {.warmup = 0}), HasSubstr("run to warm up"));
  EXPECT_THAT(message(images, {.runs = 0}), HasSubstr("one timed run"));
  const std::vector<MeasuredChoice> impossible{
      {{"tome", {{"r", std::int64_t{1000}}}, nullptr, false}}};
  EXPECT_THAT(errorMessage([&] { runBenchmark(engine, images, impossible); }), HasSubstr("1000"));
}

TEST(SyntheticImages, AreFromSmoothToNoiseAndAlwaysTheSame) {
  const VitConfig& vit = bundledEngine().info().vit;
  const std::vector<InputTensor> images = syntheticImages(vit, 5, 3);
  ASSERT_EQ(images.size(), 5U);
  for (const InputTensor& image : images) {
    ASSERT_EQ(image.values.size(), 3U * vit.input_height * vit.input_width);
    EXPECT_TRUE(std::all_of(image.values.begin(), image.values.end(),
                            [](float value) { return std::abs(value) <= 1; }));
  }
  const auto roughness = [](const InputTensor& image) {
    double sum = 0;
    for (std::size_t i = 1; i < image.values.size(); ++i) {
      sum += std::abs(image.values[i] - image.values[i - 1]);
    }
    return sum / static_cast<double>(image.values.size());
  };
  EXPECT_LT(5 * roughness(images[0]), roughness(images[3]));
  EXPECT_EQ(syntheticImages(vit, 2, 3)[1].values, images[1].values);
  EXPECT_NE(syntheticImages(vit, 2, 4)[1].values, images[1].values);
}

TEST(BenchmarkJson, HoldsEveryFigureAndTime) {
  Benchmark benchmark = knownBenchmark();
  benchmark.warnings = {"careful"};
  benchmark.points[2].tier = 0.9;
  benchmark.points[2].peak_bytes = 123456;
  BenchmarkRecord record;
  record.version = "1.2";
  record.command = "adamerge bench";
  record.machine.processor = "Abacus";
  const nlohmann::json json = nlohmann::json::parse(benchmarkJson(record, {&benchmark, 1}));
  EXPECT_EQ(json.at("benchmark_format"), 1);
  EXPECT_EQ(json.at("version"), "1.2");
  EXPECT_EQ(json.at("command"), "adamerge bench");
  EXPECT_EQ(json.at("machine").at("processor"), "Abacus");
  EXPECT_TRUE(json.at("seconds").is_null());
  const nlohmann::json& model = json.at("models").at(0);
  EXPECT_EQ(model.at("model"), "known");
  EXPECT_EQ(model.at("warnings"), nlohmann::json{"careful"});
  EXPECT_EQ(model.at("product_gflops").at("median"), 200);
  const nlohmann::json& unmerged = model.at("points").at(1);
  EXPECT_TRUE(unmerged.at("speedup").is_null());
  EXPECT_TRUE(unmerged.at("tier").is_null());
  const nlohmann::json& merged = model.at("points").at(2);
  EXPECT_EQ(merged.at("method"), "tome");
  EXPECT_EQ(merged.at("name"), describe(kCases[0].choice));
  EXPECT_EQ(merged.at("settings").at("r"), 8);
  EXPECT_EQ(merged.at("tier"), 0.9);
  EXPECT_EQ(merged.at("batch"), 2);
  EXPECT_EQ(merged.at("runs"), 3);
  EXPECT_EQ(merged.at("times"), (nlohmann::json{10, 16, 20}));
  EXPECT_EQ(merged.at("milliseconds").at("lower_quartile"), 13);
  EXPECT_EQ(merged.at("images_per_second"), 125);
  EXPECT_EQ(merged.at("speedup").at("median"), 2);
  EXPECT_EQ(merged.at("realised").at("median"), 0.75);
  EXPECT_DOUBLE_EQ(merged.at("peak_share").get<double>(), 2.5);
  EXPECT_EQ(merged.at("peak_bytes"), 123456);
  EXPECT_TRUE(merged.at("resident_bytes").is_null());
}

TEST(UntrainedEngine, IsTheArchitectureThatItsNameSays) {
  const EngineOptions options{.device = "cpu", .dtype = "float32", .threads = 1};
  const Engine tiny = Engine::untrained("vit_tiny_patch16_224", options);
  // As timm counts them.
  EXPECT_EQ(tiny.info().parameters, 5'717'416);
  EXPECT_EQ(tiny.info().vit.dim, 192);
  EXPECT_EQ(tiny.info().vit.heads, 3);
  EXPECT_EQ(tiny.info().vit.classes, 1000);
  EXPECT_EQ(tiny.info().architecture, "vit_tiny_patch16_224");
  EXPECT_EQ(Engine::untrained("vit_small_patch32_384", options).info().parameters, 22'915'432);
  const std::vector<InputTensor> images = syntheticImages(tiny.info().vit, 1, 0);
  const Engine again = Engine::untrained("vit_tiny_patch16_224", options);
  EXPECT_EQ(tiny.run(images, {}).front().logits, again.run(images, {}).front().logits);

  EngineOptions larger = options;
  larger.input_size = InputSize{96, 128};
  EXPECT_EQ(Engine::untrained("vit_tiny_patch32_224", larger).info().vit.patchTokens(), 12);
  // Pixels beyond the last whole patch are never seen.
  larger.input_size = InputSize{100, 100};
  EXPECT_EQ(Engine::untrained("vit_tiny_patch32_224", larger).info().vit.patchTokens(), 9);
  larger.input_size = InputSize{100, 31};
  EXPECT_THAT(errorMessage([&] { Engine::untrained("vit_tiny_patch32_224", larger); }),
              HasSubstr("from the patch size 32"));
  for (const char* name :
       {"", "vit", "resnet50", "vit_tiny", "vit_tiny_patch16", "vit_medium_patch16_224",
        "vit_tiny_patch16_225", "vit_tiny_patch0_224", "vit_tiny_patch16_-224",
        "vit_tiny_patch16_224.augreg", "vit_tiny_patch16_99999999999"}) {
    EXPECT_THAT(errorMessage([&] { Engine::untrained(name, options); }),
                testing::AllOf(HasSubstr("vit_base_patch16_224"), HasSubstr(name)));
  }
}

}  // namespace
}  // namespace adamerge::test
