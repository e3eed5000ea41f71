// SPDX-License-Identifier: GPL-3.0-or-later
// What accelerators run for all images at once against what the CPU runs image by image: the same
// plans, the same tokens.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>

#include "kernels/padded.h"
#include "merging/apply.h"
#include "merging/method.h"
#include "plan_arithmetic.h"
#include "test_device.h"

namespace adamerge {
namespace {

constexpr int kPrefix = 1;
constexpr int kPatches = 64;
constexpr int kHeads = 4;
constexpr int kDim = 32;

VitConfig smallVit() {
  VitConfig vit;
  vit.input_height = vit.input_width = 64;
  vit.patch_size = 8;
  vit.dim = kDim;
  vit.heads = kHeads;
  vit.depth = 4;
  vit.class_token = true;
  return vit;
}

/// Whatever device the tests run on, the sets of an accelerator.
at::Device device() { return at::Device(test::onCpu() ? test::kStandIn : test::testDevice()); }

LayerTokens onHost(LayerTokens layer) {
  layer.tokens = layer.tokens.to(at::kCPU);
  layer.metric = layer.metric.to(at::kCPU);
  return layer;
}

/// Images of which `tokens` each are left of kPatches patches, so that merging went on before.
class Images {
 public:
  explicit Images(std::vector<std::int64_t> tokens) : counts_(std::move(tokens)) {
    std::int64_t total = 0;
    for (const std::int64_t count : counts_) {
      total += count;
      std::vector<int> positions(kPatches);
      std::vector<float> sizes(static_cast<std::size_t>(count), 0.0F);
      sizes[0] = 1;
      for (int patch = 0; patch < kPatches; ++patch) {
        const int others = static_cast<int>(count) - kPrefix;
        const int position =
            kPrefix + (patch < others ? patch : static_cast<int>(random_() % others));
        positions[patch] = position;
        ++sizes[position];
      }
      AttentionStatistics& statistics = statistics_.emplace_back();
      std::uniform_real_distribution<float> share(0.1F, 1);
      for (std::int64_t k = 0; k < count; ++k) {
        statistics.class_attention.push_back(share(random_));
        statistics.value_norms.push_back(share(random_));
      }
      positions_.push_back(positions);
      sizes_.push_back(sizes);
    }
    tokens_ = normal(total, kDim).to(device());
    metric_ = normal(total, kDim / kHeads).to(at::kDouble).to(device());
  }

  std::vector<LayerTokens> layers(int block) const {
    std::vector<LayerTokens> layers(counts_.size());
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      layers[i].block = block;
      layers[i].prefix = kPrefix;
      layers[i].tokens = tokens_.narrow(0, offset, counts_[i]);
      layers[i].metric = metric_.narrow(0, offset, counts_[i]);
      layers[i].sizes = sizes_[i];
      layers[i].patch_tokens = positions_[i];
      layers[i].attention = &statistics_[i];
      offset += counts_[i];
    }
    return layers;
  }
  at::Tensor normal(std::int64_t rows, std::int64_t columns) {
    std::normal_distribution<float> values;
    const at::Tensor result = at::empty({rows, columns}, at::kFloat);
    std::generate_n(result.data_ptr<float>(), result.numel(), [&] { return values(random_); });
    return result;
  }
  const std::vector<std::int64_t>& counts() const { return counts_; }
  const at::Tensor& tokens() const { return tokens_; }

 private:
  std::mt19937 random_{7};
  std::vector<std::int64_t> counts_;
  std::vector<std::vector<int>> positions_;
  std::vector<std::vector<float>> sizes_;
  std::vector<AttentionStatistics> statistics_;
  at::Tensor tokens_;
  at::Tensor metric_;
};

std::vector<MethodChoice> choices() {
  std::vector<MethodChoice> all;
  // These decide image by image everywhere, from a whole grid or what a block before told.
  const std::set<std::string> one_by_one{"cubistmerge", "structsam", "prune-merge", "focus"};
  for (const MethodInfo& info : methods()) {
    if (one_by_one.contains(info.id)) continue;
    all.push_back({info.id, {}, nullptr, false});
    for (const SettingInfo& setting : info.settings) {
      const auto add = [&](const SettingValue& value) {
        all.push_back({info.id, {{setting.key, value}}, nullptr, false});
      };
      for (const std::string& choice : setting.choices) add(choice);
      if (const bool* on = std::get_if<bool>(&setting.fallback)) add(!*on);
      if (setting.key == "keep_ratio") add(0.8);
      if (setting.key == "window") add(std::int64_t{4});
    }
  }
  for (MethodChoice& choice : all) {
    for (const char* key : {"r", "r_max"}) {
      if (findMethod(choice.method).setting(key) != nullptr) choice.settings[key] = std::int64_t{9};
    }
    if (choice.method == "dsm") choice.settings["delay"] = std::int64_t{0};
  }
  return all;
}

void expectNear(const std::vector<float>& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-5) << i;
}

void expectSame(const MergePlan& actual, const MergePlan& expected) {
  EXPECT_EQ(actual.order, expected.order);
  ASSERT_EQ(actual.merges.size(), expected.merges.size());
  for (std::size_t k = 0; k < actual.merges.size(); ++k) {
    EXPECT_EQ(actual.merges[k].source, expected.merges[k].source);
    EXPECT_EQ(actual.merges[k].destination, expected.merges[k].destination);
    EXPECT_NEAR(actual.merges[k].similarity, expected.merges[k].similarity, 1e-5);
  }
  EXPECT_EQ(actual.combine, expected.combine);
  expectNear(actual.weights, expected.weights);
  expectNear(actual.salience, expected.salience);
  EXPECT_EQ(actual.macs, expected.macs);
  ASSERT_EQ(actual.redundancy.has_value(), expected.redundancy.has_value());
  EXPECT_NEAR(actual.redundancy.value_or(0), expected.redundancy.value_or(0), 1e-6);
  EXPECT_EQ(actual.z, expected.z);
}

TEST(BatchedPlans, EqualThoseOfEachImage) {
  int merges = 0;
  for (const std::vector<std::int64_t>& counts :
       {std::vector<std::int64_t>{65, 65}, {65, 40, 3, 2, 51}}) {
    const Images images(counts);
    for (const MethodChoice& choice : choices()) {
      const auto method = findMethodEntry(choice.method)
                              .make(completeSettings(choice, smallVit()), {smallVit(), nullptr});
      if (method->stage() == MergeMethod::Stage::kNever) continue;
      for (const int block : {0, 3}) {
        if (!method->actsIn(block)) continue;
        for (const bool trace : {false, true}) {
          std::vector<LayerTokens> layers = images.layers(block);
          for (LayerTokens& layer : layers) layer.trace = trace;
          const std::vector<MergePlan> plans = method->plans(layers);
          ASSERT_EQ(plans.size(), layers.size());
          for (std::size_t i = 0; i < plans.size(); ++i) {
            std::string settings;
            for (const auto& [key, value] : choice.settings) settings += key + toText(value) + " ";
            SCOPED_TRACE(choice.method + " " + settings + std::to_string(i));
            expectSame(plans[i], test::planOf(*method, onHost(layers[i])));
            merges += static_cast<int>(plans[i].merges.size());
          }
        }
      }
    }
  }
  EXPECT_GT(merges, 1000);
}

TEST(BatchedPlans, CarriedOutTogetherGiveTheTokensOfEachImage) {
  const Images images({65, 40, 65, 3});
  for (const char* name : {"adamerge", "tofu", "tome"}) {
    for (const int block : {0, 3}) {
      const auto method = findMethodEntry(name).make(
          completeSettings({name, {{"r", std::int64_t{9}}}, nullptr, false}),
          {smallVit(), nullptr});
      const std::vector<LayerTokens> layers = images.layers(block);
      std::vector<MergePlan> plans = method->plans(layers);
      plans[2] = {};
      std::vector<at::Tensor> each;
      for (std::size_t i = 0; i < plans.size(); ++i) {
        each.push_back(at::empty({remainingTokens(plans[i], images.counts()[i]), kDim}));
        applyToTokens(plans[i], layers[i].tokens.to(at::kCPU), each.back());
      }
      const at::Tensor expected = at::cat(each);
      const at::Tensor merged = at::empty_like(expected, expected.options().device(device()));
      applyToAllTokens(plans, images.counts(), images.tokens(), merged);
      EXPECT_TRUE(at::allclose(merged.to(at::kCPU), expected, /*rtol=*/1e-5, /*atol=*/1e-6))
          << name << block;
    }
  }
}

TEST(BatchedPlans, ATokenThatIsNoNumberStaysInItsImage) {
  const Images images({65, 65});
  const auto method = findMethodEntry("tome").make(completeSettings({"tome", {}, nullptr, false}),
                                                   {smallVit(), nullptr});
  const std::vector<MergePlan> plans = method->plans(images.layers(0));
  const std::vector<std::int64_t> left{remainingTokens(plans[0], 65),
                                       remainingTokens(plans[1], 65)};
  const at::Tensor merged = at::empty({left[0] + left[1], kDim}, images.tokens().options());
  const at::Tensor tokens = images.tokens().clone();
  tokens.narrow(0, 65, 65).fill_(std::numeric_limits<double>::infinity());
  applyToAllTokens(plans, images.counts(), tokens, merged);
  EXPECT_TRUE(merged.to(at::kCPU).narrow(0, 0, left[0]).isfinite().all().item<bool>());
}

TEST(PaddingTest, RepeatsRowsAndIsUndone) {
  const at::Tensor packed = at::arange(6, at::kFloat).unsqueeze(1).to(device());
  const std::vector<std::int64_t> counts{3, 1, 2};
  const Padding padding(counts, device());
  EXPECT_FALSE(padding.even());
  const at::Tensor padded = padding.pad(packed);
  EXPECT_TRUE(padded.to(at::kCPU).equal(
      at::tensor({0.F, 1.F, 2.F, 3.F, 3.F, 3.F, 4.F, 5.F, 5.F}).reshape({3, 3, 1})));
  EXPECT_TRUE(padding.unpad(padded).to(at::kCPU).equal(packed.to(at::kCPU)));
  EXPECT_EQ(padding.absent().sum().item<std::int64_t>(), 3);

  const std::vector<std::int64_t> same{3, 3};
  const Padding even(same, device());
  EXPECT_TRUE(even.even());
  EXPECT_TRUE(even.unpad(even.pad(packed)).to(at::kCPU).equal(packed.to(at::kCPU)));
  EXPECT_FALSE(even.absent().defined());

  const Padding shifted(counts, device(), {0, 2, 1});
  const at::Tensor later = shifted.pad(packed);
  EXPECT_TRUE(later.to(at::kCPU).equal(
      at::tensor({0.F, 1.F, 2.F, 3.F, 3.F, 3.F, 4.F, 4.F, 5.F}).reshape({3, 3, 1})));
  EXPECT_TRUE(shifted.unpad(later).to(at::kCPU).equal(packed.to(at::kCPU)));
  EXPECT_TRUE(shifted.absent().to(at::kCPU).equal(
      at::tensor({0, 0, 0, 1, 1, 0, 1, 0, 0}).reshape({3, 3}).to(at::kBool)));
}

}  // namespace
}  // namespace adamerge
