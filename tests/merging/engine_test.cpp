// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/engine.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <limits>
#include <stop_token>
#include <thread>

#include "adamerge/calibrate.h"
#include "error_message.h"
#include "kernels/cpu/isa.h"
#include "ppm.h"
#include "safetensors_writer.h"
#include "temporary_folder.h"
#include "test_device.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

const fs::path kModel = fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";
const fs::path kMerging = fs::path(ADAMERGE_TEST_DATA) / "merging";

class EngineTest : public testing::Test {
 protected:
  /// A copy of the bundled model in a folder of its name, without its calibration.
  static fs::path uncalibratedCopy(const fs::path& folder) {
    const fs::path model = folder / "vit-tiny-cifar10";
    fs::create_directory(model);
    fs::create_symlink(kModel / "model.safetensors", model / "model.safetensors");
    fs::copy_file(kModel / "config.json", model / "config.json");
    return model;
  }
  static std::vector<InputTensor> pictures() {
    std::vector<InputTensor> inputs;
    for (const char* name : {"plane", "ship", "car", "cat"}) {
      inputs.push_back(test::readPpm(kMerging / ("drawn-" + std::string(name) + ".ppm")));
    }
    return inputs;
  }
  static std::shared_ptr<const Statistics> referenceStatistics() {
    return std::make_shared<const Statistics>(readStatistics(kMerging / "stats.json"));
  }

  test::TemporaryFolder folder_;
};

TEST_F(EngineTest, WithoutStatisticsEveryBlockMergesHalfOfRMaxAndSaysSo) {
  const Engine engine =
      Engine::load(uncalibratedCopy(folder_.path()), {.device = test::testDevice()});
  const InputTensor input = pictures().front();
  const ImageResult result =
      engine.run({&input, 1}, {"adamerge", {{"r_max", std::int64_t{13}}}, nullptr, false}).front();
  EXPECT_FALSE(result.calibrated);
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_THAT(result.warnings[0], AllOf(HasSubstr("uncalibrated"), HasSubstr("calibrate")));
  for (const LayerTrace& layer : result.layers) {
    EXPECT_EQ(layer.merged, 6);
    EXPECT_EQ(layer.z, 0.0);
    EXPECT_FALSE(layer.mu.has_value());
  }
}

TEST_F(EngineTest, OwnStatisticsServeOnlyTheirOwnSettings) {
  const fs::path model = uncalibratedCopy(folder_.path());
  fs::copy_file(kMerging / "stats.json", model / "stats.json");
  const Engine engine = Engine::load(model, {.device = test::testDevice()});
  const InputTensor input = pictures().front();
  EXPECT_TRUE(engine.run({&input, 1}, {"adamerge", {}, nullptr, false}).front().calibrated);
  const MethodChoice other{"adamerge", {{"partition", std::string("alternating")}}, nullptr, false};
  const ImageResult result = engine.run({&input, 1}, other).front();
  EXPECT_FALSE(result.calibrated);
  EXPECT_THAT(result.warnings.at(0), HasSubstr("partition sequential instead of alternating"));
  // Named by the user they are used all the same, with a warning.
  MethodChoice named = other;
  named.statistics = referenceStatistics();
  const ImageResult used = engine.run({&input, 1}, named).front();
  EXPECT_TRUE(used.calibrated);
  EXPECT_THAT(used.warnings.at(0), HasSubstr("partition sequential instead of alternating"));
}

TEST_F(EngineTest, ConstantCountsHaveNoUseForStatistics) {
  const Engine engine = Engine::load(kModel, {.device = test::testDevice()});
  const InputTensor input = pictures().front();
  for (const MethodChoice& plain :
       {MethodChoice{"adamerge+", {}, nullptr, false},
        MethodChoice{"adamerge", {{"adaptive", false}}, nullptr, false}}) {
    // Made under other settings than adamerge+'s, which would matter to adaptive counts.
    MethodChoice named = plain;
    named.statistics = referenceStatistics();
    const ImageResult result = engine.run({&input, 1}, named).front();
    EXPECT_TRUE(result.calibrated);
    EXPECT_THAT(result.warnings, testing::IsEmpty());
    EXPECT_EQ(result.logits, engine.run({&input, 1}, plain).front().logits);
  }
}

TEST_F(EngineTest, StatisticsOfAnotherModelOrDepthAreRefused) {
  const Engine engine = Engine::load(kModel, {.device = test::testDevice()});
  const InputTensor input = pictures().front();
  const auto message = [&](auto change) {
    Statistics statistics = *referenceStatistics();
    change(statistics);
    const MethodChoice choice{"adamerge", {}, std::make_shared<Statistics>(statistics), false};
    return test::errorMessage([&] { engine.run({&input, 1}, choice); });
  };
  EXPECT_THAT(message([](Statistics& s) { s.model = "other"; }),
              AllOf(HasSubstr("'other'"), HasSubstr("vit-tiny-cifar10")));
  EXPECT_THAT(message([](Statistics& s) { s.depth = 24; }),
              AllOf(HasSubstr("24"), HasSubstr("12")));
}

TEST_F(EngineTest, AnUnusableStatsFileDoesNotStopTheModel) {
  const fs::path model = uncalibratedCopy(folder_.path());
  std::ofstream(model / "stats.json") << "{";
  const Engine engine = Engine::load(model, {.device = test::testDevice()});
  EXPECT_EQ(engine.statistics(), nullptr);
  EXPECT_THAT(engine.statisticsProblem(), AllOf(HasSubstr("stats.json"), HasSubstr("JSON")));
}

TEST_F(EngineTest, WrongDevicesAndDtypesSayWhatIsThere) {
  const auto load = [](const char* device, const char* dtype) {
    return test::errorMessage([&] { Engine::load(kModel, {.device = device, .dtype = dtype}); });
  };
  EXPECT_THAT(load("tpu", "auto"), AllOf(HasSubstr("auto, cpu, cuda"), HasSubstr("tpu")));
  EXPECT_THAT(load("cpu", "int4"),
              AllOf(HasSubstr("float32"), HasSubstr("int8"), HasSubstr("int4")));
  EXPECT_THAT(load("cpu", "float16"), HasSubstr("bfloat16"));
  if (availableDevices().size() == 1) {
    for (const char* device : {"cuda", "cuda:7", "cuda:99999999999"}) {
      EXPECT_THAT(load(device, "auto"), AllOf(HasSubstr("no CUDA"), HasSubstr("auto would")));
    }
  }
}

TEST_F(EngineTest, OutputsThatAreNoNumbersAreRefused) {
  const test::TemporaryFolder folder;
  const auto head = folder.path() / "head.safetensors";
  const int width = Engine::load(kModel, {.device = "cpu"}).info().vit.embeddingWidth();
  test::writeSafetensors(head, {{"weight", at::full({2, width}, 3e38)}});
  const Engine engine = Engine::load(kModel, {.device = "cpu", .dtype = "float32", .head = head});
  EXPECT_THAT(test::errorMessage([&] { engine.run(pictures(), MethodChoice{}); }),
              AllOf(HasSubstr("not numbers (NaN or infinity) in float32"), HasSubstr("too large")));
}

TEST_F(EngineTest, UnusableInputsAndCountsAreRefused) {
  const Engine engine = Engine::load(kModel, {.device = test::testDevice()});
  InputTensor input = pictures().front();
  const auto run = [&](const MethodChoice& choice) {
    return test::errorMessage([&] { engine.run({&input, 1}, choice); });
  };
  const auto count = [](const char* method, const char* key, std::int64_t value) {
    return MethodChoice{method, {{key, value}}, nullptr, false};
  };
  EXPECT_THAT(run(count("tome", "r", 99)),
              AllOf(HasSubstr("99"), HasSubstr("196"), HasSubstr("98")));
  EXPECT_THAT(run(count("adamerge", "r_max", 197)), AllOf(HasSubstr("197"), HasSubstr("196")));
  EXPECT_THAT(run(count("dsm", "delay", 12)), AllOf(HasSubstr("12"), HasSubstr("0 to 11")));
  MethodChoice long_schedule{
      "tome", {{"r_per_block", std::vector<std::int64_t>(13, 1)}}, nullptr, false};
  EXPECT_THAT(run(long_schedule), AllOf(HasSubstr("13"), HasSubstr("12")));
  input.values[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(run({}), HasSubstr("NaN"));
  input.values.pop_back();
  EXPECT_THAT(run({}), HasSubstr("56 x 56"));
}

TEST_F(EngineTest, APreparedMethodRunsAsItsChoiceDoes) {
  const Engine engine = Engine::load(kModel, {.device = "cpu"});
  const std::vector<InputTensor> inputs = pictures();
  const MethodChoice choice{"tome", {{"r", std::int64_t{9}}}, nullptr, false};
  const PreparedMethod prepared = engine.prepare(choice);
  EXPECT_EQ(prepared.choice().method, "tome");
  EXPECT_EQ(prepared.choice().settings, completeSettings(choice));
  EXPECT_THAT(engine.run({}, prepared), testing::IsEmpty());
  const auto results = engine.run(inputs, prepared);
  const auto expected = engine.run(inputs, choice);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(results[i].logits, expected[i].logits);
    EXPECT_EQ(results[i].layers.back().groups, expected[i].layers.back().groups);
  }
  EXPECT_THAT(test::errorMessage([&] {
                engine.prepare({"tome", {{"r", std::int64_t{99}}}, nullptr, false});
              }),
              HasSubstr("99"));
}

TEST_F(EngineTest, WhatIsPreparedKeepsItsStatistics) {
  Engine engine = Engine::load(kModel, {.device = "cpu"});
  const std::vector<InputTensor> inputs = pictures();
  engine.setStatistics(referenceStatistics());
  const MethodChoice choice{"adamerge", {}, nullptr, false};
  const PreparedMethod before = engine.prepare(choice);
  const auto expected = engine.run(inputs, before);
  engine.setStatistics(nullptr);
  const auto results = engine.run(inputs, before);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(results[i].logits, expected[i].logits);
    EXPECT_TRUE(results[i].calibrated);
    EXPECT_THAT(results[i].warnings, testing::IsEmpty());
  }
  const ImageResult after = engine.run(inputs, engine.prepare(choice)).front();
  EXPECT_FALSE(after.calibrated);
  EXPECT_THAT(after.warnings,
              testing::ElementsAre(AllOf(HasSubstr("uncalibrated: the model has no layer"),
                                         HasSubstr("every block merges half of r_max until"))));
}

TEST_F(EngineTest, AMethodPreparedForAnotherModelIsRefused) {
  const Engine engine = Engine::load(kModel, {.device = "cpu"});
  auto other = std::make_unique<Engine>(Engine::load(kModel, {.device = "cpu"}));
  const PreparedMethod prepared = other->prepare({});
  other.reset();
  EXPECT_EQ(prepared.choice().method, "none");
  EXPECT_THAT(test::errorMessage([&] { engine.run(pictures(), prepared); }),
              AllOf(HasSubstr("'none'"), HasSubstr("another model")));
}

// Run by itself, as ctest does, before any engine was made.
TEST(Environment, IsSetBeforeMain) { EXPECT_NE(std::getenv("DNNL_MAX_CPU_ISA"), nullptr); }

TEST_F(EngineTest, AStopRequestEndsARun) {
  const Engine engine = Engine::load(kModel, {.device = test::testDevice()});
  const InputTensor input = pictures().front();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(engine.run({&input, 1}, {}, {}, stop.get_token()), Cancelled);
}

TEST_F(EngineTest, AutoIsTheFastestPrecisionOfTheProcessor) {
  const bool products = bestIsa() >= Isa::kAvx512Bf16;
  EXPECT_EQ(Engine::load(kModel, {.device = "cpu"}).dtype(), products ? "bfloat16" : "float32");
  std::ifstream processor("/proc/cpuinfo");
  const std::string known(std::istreambuf_iterator<char>(processor), {});
  EXPECT_TRUE(!products || known.find(" avx512_bf16") != std::string::npos);
  EXPECT_TRUE(bestIsa() < Isa::kAmx || known.find(" amx_bf16") != std::string::npos);
}

void expectClose(const std::vector<ImageResult>& expected,
                 const std::vector<ImageResult>& results) {
  ASSERT_EQ(results.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Fidelity fidelity = compareLogits(expected[i].logits, results[i].logits);
    EXPECT_TRUE(fidelity.top1_agrees) << i;
    EXPECT_GT(fidelity.logit_cosine, 0.99) << i;
  }
}

TEST_F(EngineTest, BFloat16StaysCloseToFloat32) {
  const std::vector<InputTensor> inputs = pictures();
  const Engine full = Engine::load(kModel, {.device = test::testDevice(), .dtype = "float32"});
  const Engine half = Engine::load(kModel, {.device = test::testDevice(), .dtype = "bfloat16"});
  const MethodChoice choice{"adamerge", {}, referenceStatistics(), false};
  expectClose(full.run(inputs, choice), half.run(inputs, choice));
}

TEST_F(EngineTest, Int8StaysCloseToFloat32AndAloneIsAsInABatch) {
  const std::vector<InputTensor> inputs = pictures();
  const Engine full = Engine::load(kModel, {.device = "cpu", .dtype = "float32"});
  const Engine whole = Engine::load(kModel, {.device = "cpu", .dtype = "int8"});
  EXPECT_EQ(whole.dtype(), "int8");
  for (const char* method : {"none", "tome", "adamerge"}) {
    SCOPED_TRACE(method);
    const MethodChoice choice{method, {}, referenceStatistics(), false};
    const auto expected = full.run(inputs, choice);
    const auto results = whole.run(inputs, choice);
    expectClose(expected, results);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      EXPECT_NE(results[i].logits, expected[i].logits) << i;
      EXPECT_EQ(whole.run({&inputs[i], 1}, choice).front().logits, results[i].logits) << i;
    }
  }
}

TEST_F(EngineTest, CalibrationIsTheMeanAndDeviationOfTheSecondPass) {
  const Engine engine = Engine::load(kModel, {.device = test::testDevice()});
  const std::vector<InputTensor> inputs = pictures();
  std::size_t asked = 0;
  const BatchSource source = [&](std::size_t first, std::size_t count) {
    asked += count;
    return std::vector<InputTensor>(inputs.begin() + static_cast<std::ptrdiff_t>(first),
                                    inputs.begin() + static_cast<std::ptrdiff_t>(first + count));
  };
  CalibrationOptions options;
  options.r_max = {9, 16};
  options.batch = 3;
  std::vector<std::int64_t> reports;
  const Statistics statistics = calibrate(engine, source, inputs.size(), options,
                                          [&](const Progress& p) { reports.push_back(p.done); });
  EXPECT_EQ(asked, 8U);
  EXPECT_EQ(reports, (std::vector<std::int64_t>{3, 4, 7, 8}));
  EXPECT_EQ(statistics.images, 4);
  EXPECT_EQ(statistics.dtype, engine.dtype());
  ASSERT_EQ(statistics.entries.size(), 2U);

  for (const StatisticsEntry& entry : statistics.entries) {
    MethodChoice choice{"adamerge", {{"r_max", std::int64_t{entry.r_max}}}, nullptr, true};
    for (int pass = 0; pass < 2; ++pass) {
      const auto results = engine.run(inputs, choice);
      auto next = std::make_shared<Statistics>();
      next->depth = 12;
      next->entries = {{entry.r_max, {}, {}}};
      for (std::size_t block = 0; block < 12; ++block) {
        double mean = 0;
        double square = 0;
        for (const ImageResult& result : results) {
          if (pass == 0) {
            EXPECT_EQ(result.layers[block].merged, entry.r_max / 2);
          }
          mean += *result.layers[block].redundancy / 4;
        }
        for (const ImageResult& result : results) {
          square += std::pow(*result.layers[block].redundancy - mean, 2) / 4;
        }
        next->entries[0].mu.push_back(mean);
        next->entries[0].sigma.push_back(std::sqrt(square));
      }
      choice.statistics = next;
      choice.ignore_statistics = false;
    }
    for (std::size_t block = 0; block < 12; ++block) {
      EXPECT_NEAR(entry.mu[block], choice.statistics->entries[0].mu[block], 1e-9);
      EXPECT_NEAR(entry.sigma[block], choice.statistics->entries[0].sigma[block], 1e-9);
    }
  }
}

TEST_F(EngineTest, CalibrationRefusesWhatMakesNoSense) {
  const Engine engine = Engine::load(kModel, {.device = test::testDevice()});
  const BatchSource nothing = [](std::size_t, std::size_t) { return std::vector<InputTensor>{}; };
  CalibrationOptions options;
  options.r_max = {8};
  EXPECT_THAT(test::errorMessage([&] { calibrate(engine, nothing, 4, options); }),
              HasSubstr("no image"));
  for (const auto& [choice, problem] : std::vector<std::pair<MethodChoice, std::string>>{
           {{"adamerge", {{"adaptive", false}}, nullptr, false}, "only with --adaptive on"},
           {{"adamerge+", {}, nullptr, false}, "only with --adaptive on"},
           {{"tome", {}, nullptr, false}, "tome uses no layer statistics"}}) {
    options.choice = choice;
    EXPECT_THAT(test::errorMessage([&] { calibrate(engine, nothing, 4, options); }),
                HasSubstr(problem));
  }
}

TEST_F(EngineTest, TheScheduleHitsTheNearestFlops) {
  const Engine engine = Engine::load(kModel, {.device = test::testDevice()});
  const std::vector<InputTensor> inputs = pictures();
  const auto cost = [&](MethodChoice choice, const std::string& key, int value) {
    choice.settings[key] = std::int64_t{value};
    double sum = 0;
    for (const ImageResult& r : engine.run(inputs, choice, {.trace = false}))
      sum += r.flops.paper / 4;
    return sum;
  };
  for (const MethodInfo& method : methods()) {
    if (method.compression.empty()) continue;
    SCOPED_TRACE(method.id);
    MethodChoice choice{method.id, {}, nullptr, false};
    if (method.id == "adamerge") choice.statistics = referenceStatistics();
    const SchedulePoint point = matchFlops(engine, inputs, choice, 0.95);
    EXPECT_EQ(point.key, compressionKnob(choice)->key);
    const bool varies = usesStatistics(choice) || compressionKnob(choice)->varies;
    EXPECT_EQ(point.images, varies ? inputs.size() : 1U);
    EXPECT_NEAR(point.flops.paper, cost(choice, point.key, point.value), 1e-9);
    const double distance = std::abs(point.flops.paper - 0.95);
    EXPECT_LE(distance, std::abs(cost(choice, point.key, point.value + 1) - 0.95) + 1e-12);
    EXPECT_LE(distance, std::abs(cost(choice, point.key, point.value - 1) - 0.95) + 1e-12);
  }
  EXPECT_EQ(matchFlops(engine, inputs, {"tome", {}, nullptr, false}, 99).value, 0);
  EXPECT_THAT(test::errorMessage([&] { matchFlops(engine, inputs, {}, 1.0); }), HasSubstr("none"));
  EXPECT_THAT(test::errorMessage([&] {
                matchFlops(engine, inputs, {"tome", {}, nullptr, false}, -1);
              }),
              HasSubstr("--flops"));
}

TEST_F(EngineTest, AStopIsSeenInsideABlock) {
  const int threads = at::get_num_threads();
  // 16,384 tokens: a block takes several seconds.
  constexpr int kSide = 2048;
  const Engine engine = Engine::untrained(
      "vit_tiny_patch16_224",
      {.device = "cpu", .dtype = "float32", .threads = 1, .input_size = InputSize{kSide, kSide}});
  InputTensor image;
  image.height = image.width = kSide;
  image.values.resize(std::size_t{3} * kSide * kSide);
  for (std::size_t i = 0; i < image.values.size(); ++i) {
    image.values[i] = static_cast<float>(i % 251) / 251;
  }
  for (const char* method : {"none", "tome", "adamerge", "atc"}) {
    SCOPED_TRACE(method);
    const PreparedMethod prepared = engine.prepare({method, {}, nullptr, true});
    std::stop_source stop;
    std::atomic<std::clock_t> asked = 0;
    const std::jthread user([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(700));
      asked = std::clock();
      stop.request_stop();
    });
    EXPECT_THROW(engine.run(std::span(&image, 1), prepared, {.trace = false}, stop.get_token()),
                 Cancelled);
    // Of the processor, so that other programs do not count.
    const double seconds = static_cast<double>(std::clock() - asked) / CLOCKS_PER_SEC;
    EXPECT_LT(seconds, 0.2);
  }
  at::set_num_threads(threads);
}

TEST_F(EngineTest, AStopEndsAPreparation) {
  const int threads = at::get_num_threads();
  const Engine engine = Engine::untrained(
      "vit_tiny_patch16_224",
      {.device = "cpu", .dtype = "float32", .threads = 1, .input_size = InputSize{1024, 1024}});
  // No file says how much each patch matters, so images are made and run.
  const MethodChoice choice{
      "prune-merge", {{"importance", std::string("received")}}, nullptr, true};
  std::stop_source stop;
  std::atomic<std::clock_t> asked = 0;
  std::atomic<bool> waits_ended = false;
  const std::jthread waiting([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    try {
      engine.prepare(choice, stop.get_token());
    } catch (const Cancelled&) {
      waits_ended = true;
    }
  });
  const std::jthread user([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    asked = std::clock();
    stop.request_stop();
  });
  EXPECT_THROW(engine.prepare(choice, stop.get_token()), Cancelled);
  EXPECT_LT(static_cast<double>(std::clock() - asked) / CLOCKS_PER_SEC, 0.2);
  EXPECT_GT(asked, 0) << "it was done before it could be stopped";
  for (int i = 0; i < 100 && !waits_ended; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(waits_ended) << "whoever waits for another's measurement ends too";
  at::set_num_threads(threads);
}

TEST(Results, PredictionsAndFidelity) {
  const std::vector<Prediction> top = topPredictions({1, 3, 3}, {"a", "b", "c"}, 2);
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].label, "b");
  EXPECT_EQ(top[1].label, "c");
  EXPECT_NEAR(top[0].probability, 1 / (2 + std::exp(-2.0)), 1e-12);
  const Fidelity same = compareLogits({1, 2}, {1, 2});
  EXPECT_TRUE(same.top1_agrees);
  EXPECT_NEAR(same.logit_cosine, 1, 1e-12);
  EXPECT_EQ(same.kl_divergence, 0);
  // KL between softmax(0, ln 3) = (1/4, 3/4) and softmax(0, 0) = (1/2, 1/2).
  const Fidelity other = compareLogits({0, std::log(3.0F)}, {0, 0});
  EXPECT_NEAR(other.kl_divergence, 0.25 * std::log(0.5) + 0.75 * std::log(1.5), 1e-6);
}

}  // namespace
}  // namespace adamerge
