// SPDX-License-Identifier: GPL-3.0-or-later
// What only a device other than the CPU can get wrong: precision, memory, copies, many models and
// moves. On a GPU with ADAMERGE_TEST_DEVICE=cuda, else on the device that stands in for one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/version.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <random>
#include <thread>

#include "adamerge/calibrate.h"
#include "adamerge/engine.h"
#include "engine/vit.h"
#include "model/load_model.h"
#include "ppm.h"
#include "temporary_folder.h"
#include "test_device.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
const fs::path kData = ADAMERGE_TEST_DATA;
const fs::path kModel = fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";
/// Where one image takes more memory than any block that an allocator keeps for later.
constexpr const char* kLargeInput = "vit_tiny_patch8_224";

std::string accelerator() { return test::onCpu() ? test::kStandIn : test::testDevice(); }
bool onStandIn() { return accelerator() == test::kStandIn; }

std::vector<InputTensor> pictures() {
  std::vector<InputTensor> inputs;
  for (const char* name : {"plane", "ship", "car", "cat"}) {
    inputs.push_back(test::readPpm(kData / "merging" / ("drawn-" + std::string(name) + ".ppm")));
  }
  return inputs;
}

std::vector<InputTensor> noise(const VitConfig& vit, std::size_t count) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<InputTensor> inputs(count, {vit.input_height, vit.input_width, {}});
  for (InputTensor& input : inputs) {
    input.values.resize(static_cast<std::size_t>(3) * vit.input_height * vit.input_width);
    for (float& value : input.values) value = normal(random);
  }
  return inputs;
}

/// At half the height and width.
InputTensor halved(const InputTensor& picture) {
  InputTensor half{picture.height / 2, picture.width / 2, {}};
  for (int row = 0; row < 3 * half.height; ++row) {  // of one channel after the other
    const float* const upper = &picture.values[static_cast<std::size_t>(2 * row * picture.width)];
    const float* const lower = upper + picture.width;
    for (int x = 0; x < 2 * half.width; x += 2) {
      half.values.push_back((upper[x] + upper[x + 1] + lower[x] + lower[x + 1]) / 4);
    }
  }
  return half;
}

/// Each method, reducing much.
std::vector<MethodChoice> choices(const VitConfig& vit = loadModel(kModel).info.vit) {
  std::vector<MethodChoice> all;
  for (const MethodInfo& info : methods()) {
    all.push_back({info.id, {}, nullptr, false});
    const CompressionKnob* knob = compressionKnob(all.back());
    if (knob == nullptr) continue;
    const KnobRange range = knobRange(all.back(), vit);
    const int steps = knob->keeps ? range.steps() / 2 : std::min(range.steps(), 16);
    all.back().settings[knob->key] = std::int64_t{range.at(steps)};
  }
  for (MethodChoice& choice : all) {
    if (choice.method != "adamerge") continue;
    choice.statistics =
        std::make_shared<const Statistics>(readStatistics(kData / "merging" / "stats.json"));
  }
  return all;
}

void expectNear(const std::vector<float>& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-4) << i;
}

/// A device that has little memory left, as long as this lives.
class ScarceMemory {
 public:
  explicit ScarceMemory(std::size_t left) {
    if (onStandIn()) {
      test::limitStandIn(test::standInBytes() + left);
      return;
    }
    // LibTorch's own limit needs CUDA's headers, so everything else is taken.
    constexpr std::size_t kLargest = std::size_t{1} << 30;
    constexpr std::size_t kSmallest = std::size_t{1} << 21;
    for (std::size_t size = kLargest; size >= kSmallest; size /= 8) {
      try {
        while (true) {
          taken_.push_back(at::empty({static_cast<std::int64_t>(size)},
                                     at::TensorOptions(at::kByte).device(accelerator())));
        }
      } catch (const c10::Error&) {
        // As much as there is in pieces of this size.
      }
    }
    for (std::size_t given = 0; given < left && !taken_.empty(); taken_.pop_back()) {
      given += taken_.back().nbytes();
    }
  }
  ScarceMemory(const ScarceMemory&) = delete;
  ScarceMemory& operator=(const ScarceMemory&) = delete;
  ~ScarceMemory() { test::limitStandIn(); }

 private:
  std::vector<at::Tensor> taken_;
};

class HalfPrecision : public testing::TestWithParam<std::string> {};

TEST_P(HalfPrecision, StaysCloseToFloat32) {
  if (onStandIn() && GetParam() == "float16" && TORCH_VERSION_MAJOR < 2) {
    GTEST_SKIP() << "the CPU of LibTorch 1 does not compute in float16";
  }
  std::vector<InputTensor> inputs = pictures();
  EngineOptions options{.device = accelerator(), .dtype = "float32"};
  if (onStandIn()) {
    // Its CPU multiplies half precision without a library, so there a quarter of the tokens has to
    // do.
    inputs.resize(2);
    std::transform(inputs.begin(), inputs.end(), inputs.begin(), halved);
    options.input_size = InputSize{inputs[0].height, inputs[0].width};
  }
  const Engine full = Engine::load(kModel, options);
  options.dtype = GetParam();
  const Engine half = Engine::load(kModel, options);
  EXPECT_EQ(half.dtype(), GetParam());
  // The model's own importance is of its own input size.
  const test::TemporaryFolder folder;
  const fs::path importance = folder.path() / "importance.json";
  const BatchSource images = [&](std::size_t first, std::size_t count) {
    return std::vector<InputTensor>(&inputs[first], &inputs[first] + count);
  };
  writeImportance(measureImportance(full, images, inputs.size()), importance);
  for (MethodChoice& choice : choices(full.info().vit)) {
    if (usesImportance(choice)) choice.settings["importance_file"] = importance.string();
    const std::vector<ImageResult> expected = full.run(inputs, choice);
    const std::vector<ImageResult> results = half.run(inputs, choice);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Fidelity fidelity = compareLogits(expected[i].logits, results[i].logits);
      EXPECT_TRUE(fidelity.top1_agrees) << choice.method << " " << i;
      EXPECT_GT(fidelity.logit_cosine, 0.98) << choice.method << " " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, HalfPrecision, testing::Values("bfloat16", "float16"),
                         [](const auto& info) { return info.param; });

/// What one run of `choice` makes the stand-in do.
test::StandInTraffic trafficOf(const Engine& engine, std::span<const InputTensor> inputs,
                               const MethodChoice& choice) {
  test::resetStandIn();
  engine.run(inputs, choice, {.trace = false});
  return test::standInTraffic();
}

TEST(DeviceMemory, WhereItIsShortBatchesRunInParts) {
  const Engine engine =
      Engine::untrained(kLargeInput, {.device = accelerator(), .dtype = "float32"});
  const std::vector<InputTensor> inputs = noise(engine.info().vit, onStandIn() ? 4 : 32);
  const MethodChoice choice{"tome", {}, nullptr, false};
  const std::size_t of_one = trafficOf(engine, {&inputs[0], 1}, choice).peak_bytes;
  const std::size_t of_all = trafficOf(engine, inputs, choice).peak_bytes;
  const auto expected = engine.run(inputs, choice, {.trace = false});
  EXPECT_TRUE(expected[0].warnings.empty());
  {
    const ScarceMemory scarce(onStandIn() ? (of_one + of_all) / 2 - test::standInBytes()
                                          : std::size_t{96} << 20);
    const auto results = engine.run(inputs, choice, {.trace = false});
    EXPECT_THAT(results[0].warnings.at(0), HasSubstr("they ran in parts"));
    EXPECT_EQ(engine.device(), accelerator());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      SCOPED_TRACE(i);
      expectNear(results[i].logits, expected[i].logits);
    }
  }
  // What it has learnt holds, and small batches need no warning.
  EXPECT_FALSE(engine.run(inputs, choice, {.trace = false})[0].warnings.empty());
  EXPECT_TRUE(engine.run({&inputs[0], 1}, choice, {.trace = false})[0].warnings.empty());
}

TEST(DeviceMemory, WhereNotOneImageFitsTheCpuGoesOn) {
  const Engine engine =
      Engine::untrained(kLargeInput, {.device = accelerator(), .dtype = "float32"});
  const std::vector<InputTensor> inputs = noise(engine.info().vit, 2);
  const MethodChoice choice{"tome", {}, nullptr, false};
  const auto expected = engine.run(inputs, choice, {.trace = false});
  {
    const ScarceMemory scarce(0);
    const auto results = engine.run(inputs, choice, {.trace = false});
    EXPECT_THAT(results[0].warnings.at(0), HasSubstr("the CPU ran it"));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      SCOPED_TRACE(i);
      EXPECT_GT(compareLogits(results[i].logits, expected[i].logits).logit_cosine, 0.99);
    }
  }
  EXPECT_EQ(engine.device(), "cpu");
}

/// Asks to stop while it decides in `block`.
class StopsIn final : public ImageMethod {
 public:
  StopsIn(int block, std::stop_source& stop) : block_(block), stop_(stop) {}
  Stage stage() const override { return Stage::kBeforeBlock; }
  MergePlan plan(const LayerTokens& layer) const override {
    last_ = layer.block;
    if (layer.block == block_) stop_.request_stop();
    return {};
  }
  int last() const { return last_; }

 private:
  int block_;
  std::stop_source& stop_;
  mutable int last_ = -1;
};

TEST(DeviceRuns, StopAfterTheBlockInHand) {
  const LoadedModel model = loadModel(kModel);
  const VisionTransformer vit(model.info.vit, model.weights, at::Device(accelerator()), at::kFloat);
  std::stop_source stop;
  const StopsIn method(2, stop);
  const at::Tensor images =
      at::zeros({3, 3, model.info.vit.input_height, model.info.vit.input_width});
  EXPECT_THROW(vit.forward(images, method, {.trace = true}, stop.get_token()), Cancelled);
  EXPECT_EQ(method.last(), 2);
  const auto none = findMethodEntry("none").make({}, {model.info.vit, nullptr});
  EXPECT_TRUE(vit.forward(images, *none, {.trace = false}).logits.isfinite().all().item<bool>());
}

TEST(DeviceRuns, AHundredMovesBetweenDevicesChangeNothingAndLoseNoMemory) {
  const fs::path folder = kData / "vit-variants" / "class-token";
  const Engine first = Engine::load(folder, {.device = "cpu", .dtype = "float32"});
  const std::vector<InputTensor> inputs = noise(first.info().vit, 2);
  const MethodChoice choice{"tome", {{"r", std::int64_t{2}}}, nullptr, false};
  const std::vector<ImageResult> expected = first.run(inputs, choice);
  const std::size_t before = test::standInBytes();
  for (int move = 0; move < 100; ++move) {
    SCOPED_TRACE(move);
    const std::string device = move % 2 == 0 ? accelerator() : "cpu";
    const Engine engine = Engine::load(folder, {.device = device, .dtype = "float32"});
    ASSERT_EQ(engine.device(), device);
    const std::vector<ImageResult> results = engine.run(inputs, choice);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      expectNear(results[i].logits, expected[i].logits);
      EXPECT_EQ(results[i].layers.back().groups, expected[i].layers.back().groups);
    }
  }
  EXPECT_EQ(test::standInBytes(), before);
}

TEST(DeviceRuns, TwoModelsOnOneDeviceDoNotDisturbEachOther) {
  std::vector<Engine> engines;
  for (const char* name : {"class-token", "distilled"}) {
    engines.push_back(
        Engine::load(kData / "vit-variants" / name, {.device = accelerator(), .dtype = "float32"}));
  }
  std::vector<std::jthread> threads;
  for (const Engine& engine : engines) {
    for (const char* method : {"tome", "adamerge"}) {
      threads.emplace_back([&engine, method] {
        const std::vector<InputTensor> inputs = noise(engine.info().vit, 3);
        MethodChoice choice{method, {}, nullptr, false};
        for (const CompressionKnob& knob : findMethod(method).compression) {
          if (suits(*findMethod(method).setting(knob.key), engine.info().vit)) {
            choice.settings[knob.key] = std::int64_t{2};
          }
        }
        const std::vector<ImageResult> expected = engine.run(inputs, choice);
        for (int run = 0; run < 10; ++run) {
          const std::vector<ImageResult> results = engine.run(inputs, choice);
          for (std::size_t i = 0; i < inputs.size(); ++i) {
            expectNear(results[i].logits, expected[i].logits);
          }
        }
      });
    }
  }
}

TEST(DeviceTraffic, TheHostWaitsOnceForEachBlockThatMerges) {
  if (!onStandIn()) GTEST_SKIP() << "on a GPU tests/gpu/bench.py counts with PyTorch's profiler";
  const Engine engine = Engine::load(kModel, {.device = accelerator(), .dtype = "float32"});
  const std::vector<InputTensor> inputs = pictures();
  const int depth = engine.info().vit.depth;
  for (const MethodChoice& choice : choices()) {
    const test::StandInTraffic traffic = trafficOf(engine, inputs, choice);
    std::cout << choice.method << ": " << traffic.operations << " operations, " << traffic.to_device
              << " copies to the device, " << traffic.to_host << " back\n";
    // Once more for the logits and the embedding, together.
    EXPECT_LE(traffic.to_host, choice.method == "none" ? 1 : depth + 1) << choice.method;
    // The images; of a block its merges, its sizes and its ragged rows where it attends and
    // decides.
    EXPECT_LE(traffic.to_device, choice.method == "none" ? 1 : 1 + 4 * depth) << choice.method;
  }
}

TEST(DeviceTraffic, MemoryGrowsWithTheBatchAndNoFaster) {
  if (!onStandIn()) GTEST_SKIP() << "a GPU's allocator does not tell";
  const Engine engine = Engine::load(kModel, {.device = accelerator(), .dtype = "float32"});
  const std::vector<InputTensor> few = pictures();
  std::vector<InputTensor> many;
  for (int copy = 0; copy < 4; ++copy) many.insert(many.end(), few.begin(), few.end());
  const std::size_t weights = test::standInBytes();
  for (const MethodChoice& choice : choices()) {
    const std::size_t of_few = trafficOf(engine, few, choice).peak_bytes - weights;
    const std::size_t of_many = trafficOf(engine, many, choice).peak_bytes - weights;
    EXPECT_LT(static_cast<double>(of_many), 4.1 * static_cast<double>(of_few)) << choice.method;
  }
}

}  // namespace
}  // namespace adamerge
