// SPDX-License-Identifier: GPL-3.0-or-later
// The class token's attention in the trace, against softmax(q k^T) computed here.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "adamerge/engine.h"
#include "model/load_model.h"
#include "ppm.h"
#include "test_device.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
const fs::path kSmallModel = fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";
const fs::path kData = ADAMERGE_TEST_DATA;

/// The class token's row of block 0's attention, mean over heads: [tokens].
at::Tensor classRow(const LoadedModel& model, const InputTensor& input) {
  const VitConfig& vit = model.info.vit;
  const auto weight = [&](const char* name) { return model.weights.at(name).to(at::kFloat); };
  const at::Tensor image =
      at::tensor(input.values).reshape({1, vit.channels, input.height, input.width});
  const at::Tensor patches = at::conv2d(image, weight("patch_embed.proj.weight"),
                                        weight("patch_embed.proj.bias"), vit.patch_size)
                                 .flatten(2)
                                 .transpose(1, 2);
  const at::Tensor x = at::cat({weight("cls_token"), patches}, 1) + weight("pos_embed");
  const at::Tensor qkv =
      at::linear(at::layer_norm(x, {vit.dim}, weight("blocks.0.norm1.weight"),
                                weight("blocks.0.norm1.bias"), vit.norm_epsilon),
                 weight("blocks.0.attn.qkv.weight"), weight("blocks.0.attn.qkv.bias"));
  const at::Tensor split =
      qkv.reshape({-1, 3, vit.heads, vit.headDim()}).permute({1, 2, 0, 3});  // [3, heads, N, d]
  const at::Tensor logits =
      split[0].matmul(split[1].transpose(1, 2)) / std::sqrt(static_cast<double>(vit.headDim()));
  return logits.softmax(-1).select(1, 0).mean(0);
}

std::vector<LayerTrace> layersOf(const fs::path& model, const InputTensor& input,
                                 const MethodChoice& choice) {
  const Engine engine = Engine::load(model, {.device = test::testDevice(), .dtype = "float32"});
  return engine.run({&input, 1}, choice).front().layers;
}

InputTensor picture() { return test::readPpm(kData / "merging" / "drawn-cat.ppm"); }

TEST(ClassAttention, OfTheFirstBlockIsTheSoftmaxRow) {
  const LoadedModel model = loadModel(kSmallModel);
  const at::Tensor row = classRow(model, picture());
  const std::vector<LayerTrace> layers = layersOf(kSmallModel, picture(), {});
  const std::vector<float>& traced = layers.front().attention;
  ASSERT_EQ(traced.size() + 1, static_cast<std::size_t>(row.size(0)));
  double sum = row[0].item<double>();  // to itself
  for (std::size_t patch = 0; patch < traced.size(); ++patch) {
    const auto token = static_cast<std::int64_t>(patch) + 1;
    EXPECT_NEAR(traced[patch], row[token].item<double>(), 1e-6) << patch;
    sum += traced[patch];
  }
  EXPECT_NEAR(sum, 1, 1e-5);
}

/// Sum over tokens, where patches of one group must agree.
double sumOverGroups(const std::vector<float>& attention, const std::vector<int>& groups) {
  std::map<int, float> of_group;
  double sum = 0;
  for (std::size_t patch = 0; patch < groups.size(); ++patch) {
    const auto [known, first] = of_group.emplace(groups[patch], attention[patch]);
    EXPECT_EQ(known->second, attention[patch]) << "patch " << patch;
    if (first) sum += attention[patch];
  }
  return sum;
}

TEST(ClassAttention, OfMergedTokensIsSharedByTheirPatches) {
  // AdaMerge merges before a block's attention, ToMe after it.
  const std::vector<LayerTrace> early =
      layersOf(kSmallModel, picture(), {"adamerge", {{"r_max", std::int64_t{24}}}, nullptr, false});
  const std::vector<LayerTrace> late =
      layersOf(kSmallModel, picture(), {"tome", {{"r", std::int64_t{12}}}, nullptr, false});
  for (std::size_t block = 1; block < early.size(); ++block) {
    for (const double sum : {sumOverGroups(early[block].attention, early[block].groups),
                             sumOverGroups(late[block].attention, late[block - 1].groups)}) {
      EXPECT_GT(sum, 0);
      EXPECT_LE(sum, 1 + 1e-5) << "block " << block;
    }
  }
}

TEST(ClassAttention, OfEveryConfigurationIsAShareOfOneOrEmpty) {
  int without = 0;
  for (const auto& folder : fs::directory_iterator(kData / "vit-variants")) {
    SCOPED_TRACE(folder.path().filename().string());
    const Engine engine =
        Engine::load(folder.path(), {.device = test::testDevice(), .dtype = "float32"});
    const VitConfig& vit = engine.info().vit;
    InputTensor input{vit.input_height, vit.input_width, {}};
    input.values.resize(static_cast<std::size_t>(vit.channels) * vit.input_height *
                        vit.input_width);
    for (std::size_t i = 0; i < input.values.size(); ++i) {
      input.values[i] = std::sin(static_cast<float>(i));
    }
    const ImageResult result = engine.run({&input, 1}, {}).front();
    for (const LayerTrace& layer : result.layers) {
      if (!vit.class_token) {
        EXPECT_TRUE(layer.attention.empty());
        ++without;
        continue;
      }
      ASSERT_EQ(layer.attention.size(), static_cast<std::size_t>(vit.patchTokens()));
      double sum = 0;
      for (const float value : layer.attention) {
        EXPECT_GE(value, 0);
        sum += value;
      }
      EXPECT_LE(sum, 1 + 1e-5);
    }
  }
  EXPECT_GT(without, 0);
}

TEST(ClassAttention, IsNotRecordedWithoutTracing) {
  const Engine engine = Engine::load(kSmallModel, {.device = test::testDevice()});
  const InputTensor input = picture();
  const ImageResult result = engine.run({&input, 1}, {}, {.trace = false}).front();
  for (const LayerTrace& layer : result.layers) {
    EXPECT_TRUE(layer.attention.empty());
  }
}

}  // namespace
}  // namespace adamerge
