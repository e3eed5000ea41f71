// SPDX-License-Identifier: GPL-3.0-or-later
// What must hold for every registered method, on every kind of model: the registry is the list.
#include <algorithm>
#include <numeric>
#include <random>
#include <set>
#include <tuple>

#include "merging/apply.h"
#include "ppm.h"
#include "reference_cases.h"
#include "test_device.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
const fs::path kTestData = ADAMERGE_TEST_DATA;

InputTensor randomInput(const VitConfig& vit, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  InputTensor input{vit.input_height, vit.input_width, {}};
  input.values.resize(static_cast<std::size_t>(3) * vit.input_height * vit.input_width);
  for (float& value : input.values) value = normal(random);
  return input;
}

/// Each method under its defaults and under every other choice, switch or a second number of each
/// single setting.
std::vector<MethodChoice> variantsOf(const MethodInfo& method, const VitConfig& vit) {
  MethodChoice base{method.id, {}, nullptr, false};
  if (const CompressionKnob* knob = compressionKnob(base)) {
    const KnobRange range = knobRange(base, vit);
    base.settings[knob->key] = std::int64_t{range.at(std::max(1, range.steps() * 2 / 5))};
  }
  for (const CompressionKnob& knob : method.compression) {
    if (!suits(*method.setting(knob.key), vit)) continue;
    base.settings.try_emplace(knob.key, std::int64_t{std::max(1, vit.patchTokens() / 5)});
  }
  if (method.setting("delay") != nullptr) base.settings["delay"] = std::int64_t{vit.depth / 2};
  std::vector<MethodChoice> variants{base};
  for (const SettingInfo& setting : method.settings) {
    if (!suits(setting, vit)) continue;
    const auto add = [&](const SettingValue& value) {
      variants.push_back(base);
      variants.back().settings[setting.key] = value;
    };
    if (std::holds_alternative<bool>(setting.fallback)) {
      add(!std::get<bool>(setting.fallback));
    } else if (std::holds_alternative<double>(setting.fallback)) {
      add(setting.maximum ? std::min(*setting.maximum, 0.75) : 0.75);
    } else if (setting.key == "window") {
      add(std::int64_t{2});
    } else if (setting.key == "r_per_block") {
      add(std::vector<std::int64_t>{2, 1});
    }
    for (const std::string& choice : setting.choices) {
      // Of windowed attention alone.
      if (setting.key == "position" && choice == "mean") continue;
      // That comes from a file only.
      if (setting.key != "importance" || choice != "gradient") add(choice);
    }
  }
  return variants;
}

std::string nameOf(const MethodChoice& choice) {
  std::string name = choice.method;
  for (const auto& [key, value] : choice.settings) name += " " + key + "=" + toText(value);
  return name;
}

/// Groups after the block's merges, computed from the groups before it.
std::vector<int> joined(std::vector<int> groups, const LayerTrace& layer) {
  const std::vector<int> before = groups;
  for (const std::vector<GroupMerge>* moves : {&layer.merges, &layer.drops}) {
    for (const GroupMerge& move : *moves) {
      for (std::size_t patch = 0; patch < groups.size(); ++patch) {
        if (before[patch] == move.source) groups[patch] = move.destination;
      }
    }
  }
  std::map<int, int> numbers;
  for (int& group : groups) {
    group = numbers.try_emplace(group, static_cast<int>(numbers.size())).first->second;
  }
  return groups;
}

void expectConsistentTrace(const ImageResult& result, const VitConfig& vit) {
  int tokens = vit.prefixTokens() + vit.patchTokens();
  std::vector<int> groups(static_cast<std::size_t>(vit.patchTokens()));
  std::iota(groups.begin(), groups.end(), 0);
  ASSERT_EQ(static_cast<int>(result.layers.size()), vit.depth);
  for (const LayerTrace& layer : result.layers) {
    SCOPED_TRACE("block " + std::to_string(layer.index));
    EXPECT_EQ(layer.tokens_in, tokens);
    const int left = layer.restored ? layer.tokens_inside : layer.tokens_out;
    EXPECT_EQ(left, layer.tokens_in - layer.merged);
    if (layer.restored) {
      EXPECT_EQ(layer.tokens_out, layer.tokens_in);
    }
    EXPECT_EQ(layer.merged, static_cast<int>(layer.merges.size() + layer.drops.size()));
    EXPECT_GT(left, vit.prefixTokens());
    ASSERT_EQ(layer.groups.size(), groups.size());
    EXPECT_EQ(layer.groups, joined(groups, layer));
    const std::set<int> distinct(layer.groups.begin(), layer.groups.end());
    EXPECT_EQ(static_cast<int>(distinct.size()), left - vit.prefixTokens());
    EXPECT_NO_THROW(survivingPatches(result.layers, layer.index));
    EXPECT_EQ(*distinct.begin(), 0);
    EXPECT_EQ(*distinct.rbegin(), static_cast<int>(distinct.size()) - 1);
    for (const float salience : layer.salience) {
      EXPECT_GE(salience, 0.0F);
      EXPECT_LE(salience, 1.0F);
    }
    if (layer.restored) continue;
    tokens = layer.tokens_out;
    groups = layer.groups;
  }
}

void expectSame(const ImageResult& a, const ImageResult& b) {
  EXPECT_EQ(a.logits, b.logits);
  EXPECT_EQ(a.embedding, b.embedding);
  EXPECT_EQ(a.flops.paper, b.flops.paper);
  EXPECT_EQ(a.flops.total, b.flops.total);
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t block = 0; block < a.layers.size(); ++block) {
    EXPECT_EQ(a.layers[block].groups, b.layers[block].groups) << "block " << block;
    EXPECT_EQ(a.layers[block].salience, b.layers[block].salience) << "block " << block;
    EXPECT_EQ(a.layers[block].dropped, b.layers[block].dropped) << "block " << block;
    EXPECT_EQ(a.layers[block].details.score, b.layers[block].details.score) << "block " << block;
    EXPECT_EQ(a.layers[block].redundancy, b.layers[block].redundancy) << "block " << block;
  }
}

/// Whether the method refuses the model, which it may for want of a class token, or where each head
/// is to choose of several attentions.
bool refuses(const Engine& engine, const MethodChoice& choice) {
  try {
    engine.prepare(choice);
  } catch (const Error& error) {
    const bool several = engine.info().vit.branches > 1;
    if (several && std::string(error.what()).find("--heads mean") != std::string::npos) return true;
    EXPECT_FALSE(engine.info().vit.class_token) << error.what();
    EXPECT_NE(std::string(error.what()).find("class token"), std::string::npos) << error.what();
    return true;
  }
  return false;
}

/// What one image got from two runs among different others.
void expectSameForImage(const ImageResult& a, const ImageResult& b, const std::string& dtype) {
  if (test::onCpu()) {
    expectSame(a, b);
    return;
  }
  ASSERT_EQ(a.logits.size(), b.logits.size());
  if (dtype != "float32") {
    // Sums in another order, rounded to half precision, may decide a merge.
    EXPECT_GT(compareLogits(a.logits, b.logits).logit_cosine, 0.95);
    return;
  }
  for (std::size_t i = 0; i < a.logits.size(); ++i) EXPECT_NEAR(a.logits[i], b.logits[i], 1e-4);
  EXPECT_EQ(a.flops.paper, b.flops.paper);
  for (std::size_t block = 0; block < a.layers.size(); ++block) {
    EXPECT_EQ(a.layers[block].groups, b.layers[block].groups) << "block " << block;
  }
}

/// A variant of the Vision Transformer, and a precision.
class EveryModel : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  const Engine& engine() const { return engine_; }

 private:
  Engine engine_ = Engine::load(kTestData / std::get<0>(GetParam()),
                                {.device = test::testDevice(), .dtype = std::get<1>(GetParam())});
};

TEST_P(EveryModel, TraceIsConsistentAndRunsRepeatBitByBit) {
  const VitConfig& vit = engine().info().vit;
  const InputTensor input = randomInput(vit, 1);
  for (const MethodInfo& method : methods()) {
    if (refuses(engine(), variantsOf(method, vit).front())) continue;
    bool merged = false;
    for (const MethodChoice& choice : variantsOf(method, vit)) {
      SCOPED_TRACE(nameOf(choice));
      if (refuses(engine(), choice)) continue;
      const ImageResult result = engine().run({&input, 1}, choice).front();
      expectConsistentTrace(result, vit);
      expectSame(result, engine().run({&input, 1}, choice).front());
      for (const LayerTrace& layer : result.layers) merged = merged || layer.merged > 0;
      const ImageResult untraced = engine().run({&input, 1}, choice, {.trace = false}).front();
      EXPECT_EQ(untraced.logits, result.logits);
      EXPECT_EQ(untraced.embedding, result.embedding);
      EXPECT_TRUE(untraced.layers.front().groups.empty());
    }
    EXPECT_EQ(merged, method.id != "none") << method.id;
  }
}

TEST_P(EveryModel, AnImageOfABatchGetsWhatItGetsAlone) {
  const VitConfig& vit = engine().info().vit;
  std::vector<InputTensor> batch;
  for (unsigned seed = 0; seed < 5; ++seed) batch.push_back(randomInput(vit, seed));
  std::vector<InputTensor> reversed(batch.rbegin(), batch.rend());
  for (const MethodInfo& method : methods()) {
    const MethodChoice choice = variantsOf(method, vit).front();
    SCOPED_TRACE(nameOf(choice));
    if (refuses(engine(), choice)) continue;
    const std::vector<ImageResult> together = engine().run(batch, choice);
    const std::vector<ImageResult> permuted = engine().run(reversed, choice);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      SCOPED_TRACE("image " + std::to_string(i));
      const std::string dtype = engine().dtype();
      expectSameForImage(together[i], engine().run({&batch[i], 1}, choice).front(), dtype);
      expectSameForImage(together[i], permuted[batch.size() - 1 - i], dtype);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Variants, EveryModel,
    testing::Combine(
        testing::Values("vit-variants/class-token", "vit-variants/avg-pool-no-class-token",
                        "vit-variants/distilled", "vit-variants/registers-no-embed-class",
                        "vit-variants/rectangular-input", "vit-variants/hugging-face-vit",
                        "families-merging/dinov3", "families-merging/eva02-split",
                        "families-merging/beit-shared", "families-merging/siglip",
                        "families-merging/parallel-branches", "families-merging/post-norm"),
        testing::Values("float32", "auto")),
    [](const auto& info) {
      std::string name = std::get<0>(info.param) + "_" + std::get<1>(info.param);
      std::replace(name.begin(), name.end(), '-', '_');
      return name.substr(name.find('/') + 1);
    });

class Batch : public testing::TestWithParam<std::string> {};

TEST_P(Batch, PicturesThatKeepDifferentNumbersOfTokens) {
  const Engine engine = Engine::load(fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10",
                                     {.device = test::testDevice(), .dtype = GetParam()});
  std::vector<InputTensor> batch;
  for (const char* name : {"plane", "ship", "car", "cat"}) {
    batch.push_back(test::readPpm(kTestData / "merging" / ("drawn-" + std::string(name) + ".ppm")));
  }
  MethodChoice choice{"adamerge", {{"r_max", std::int64_t{23}}}, nullptr, false};
  choice.statistics =
      std::make_shared<const Statistics>(readStatistics(kTestData / "merging" / "stats.json"));
  const std::vector<ImageResult> together = engine.run(batch, choice);
  std::set<int> tokens_out;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    SCOPED_TRACE("image " + std::to_string(i));
    expectSameForImage(together[i], engine.run({&batch[i], 1}, choice).front(), engine.dtype());
    tokens_out.insert(together[i].layers.back().tokens_out);
  }
  EXPECT_GE(tokens_out.size(), 3U) << "the pictures should differ for this test to say anything";
}

INSTANTIATE_TEST_SUITE_P(Precisions, Batch, testing::Values("float32", "auto"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace adamerge
