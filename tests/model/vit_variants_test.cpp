// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>

#include "model/load_model.h"
#include "vit_config_matcher.h"

namespace adamerge {
namespace {

struct Variant {
  std::string name;
  std::function<void(VitConfig&)> change;
  std::size_t tensors = 32;
};

void PrintTo(const Variant& variant, std::ostream* stream) { *stream << variant.name; }

std::vector<Variant> variants() {
  return {
      {"avg-pool-fc-norm",
       [](VitConfig& vit) {
         vit.pooling = Pooling::kAverage;
         vit.final_norm = false;
         vit.fc_norm = true;
       }},
      {"avg-pool-no-class-token",
       [](VitConfig& vit) {
         vit.pooling = Pooling::kAverage;
         vit.final_norm = false;
         vit.fc_norm = true;
         vit.class_token = false;
       },
       31},
      {"class-token", [](VitConfig&) {}},
      {"distilled", [](VitConfig& vit) { vit.distillation_token = true; }, 35},
      {"hugging-face-vit", [](VitConfig& vit) { vit.norm_epsilon = 1e-12; }},
      {"layer-scale", [](VitConfig& vit) { vit.layer_scale = true; }, 36},
      {"mlp-ratio-3-patch4",
       [](VitConfig& vit) {
         vit.mlp_hidden = 96;
         vit.patch_size = 4;
         vit.position_grid_height = 8;
         vit.position_grid_width = 8;
       }},
      {"no-qkv-bias", [](VitConfig& vit) { vit.qkv_bias = false; }, 30},
      {"pre-norm-no-bias-quickgelu",
       [](VitConfig& vit) {
         vit.pre_norm = true;
         vit.patch_bias = false;
         vit.activation = Activation::kQuickGelu;
         vit.norm_epsilon = 1e-5;
       },
       33},
      {"qk-norm", [](VitConfig& vit) { vit.qk_norm = true; }, 40},
      {"rectangular-input",
       [](VitConfig& vit) {
         vit.input_width = 48;
         vit.position_grid_width = 6;
       }},
      {"registers-no-embed-class",
       [](VitConfig& vit) {
         vit.register_tokens = 4;
         vit.position_covers_prefix = false;
       },
       33},
      {"resampled-position-embedding",
       [](VitConfig& vit) {
         vit.input_height = 48;
         vit.input_width = 64;
       }},
  };
}

class VitVariants : public ::testing::TestWithParam<Variant> {};

TEST_P(VitVariants, ArchitectureIsFound) {
  const Variant& variant = GetParam();
  VitConfig wanted = test::smallVit();
  variant.change(wanted);
  const LoadedModel model =
      loadModel(std::filesystem::path(ADAMERGE_TEST_DATA) / "vit-variants" / variant.name);
  test::expectSame(model.info.vit, wanted);
  EXPECT_EQ(model.weights.size(), variant.tensors);
  EXPECT_EQ(model.info.name, variant.name);
  const bool resampled = wanted.input_height / wanted.patch_size != wanted.position_grid_height;
  EXPECT_EQ(model.info.notes.size(), resampled ? 1U : 0U)
      << ::testing::PrintToString(model.info.notes);
  if (resampled) {
    EXPECT_THAT(model.info.notes[0], ::testing::HasSubstr("is resampled to 6 x 8"));
  }
  ASSERT_EQ(model.info.labels.size(), 7U);
  EXPECT_EQ(model.info.labels[6], "label 6");

  const Preprocessing& preprocessing = model.info.preprocessing;
  const bool hugging_face = variant.name == "hugging-face-vit";
  EXPECT_EQ(preprocessing.resize,
            hugging_face ? Preprocessing::Resize::kExact : Preprocessing::Resize::kShorterSide);
  EXPECT_EQ(preprocessing.interpolation,
            hugging_face ? Interpolation::kBilinear : Interpolation::kBicubic);
  EXPECT_EQ(preprocessing.resize_height, wanted.input_height);
  EXPECT_EQ(preprocessing.resize_width, wanted.input_width);
  EXPECT_EQ(preprocessing.crop_height, wanted.input_height);
  EXPECT_EQ(preprocessing.crop_width, wanted.input_width);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(preprocessing.mean[i], 0.5F);
    EXPECT_EQ(preprocessing.std[i], 0.5F);
  }

  std::int64_t parameters = 0;
  for (const auto& [name, tensor] : model.weights) parameters += tensor.numel();
  EXPECT_EQ(model.info.parameters, parameters);
}

INSTANTIATE_TEST_SUITE_P(All, VitVariants, ::testing::ValuesIn(variants()), [](const auto& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(BundledModel, Loads) {
  const LoadedModel model =
      loadModel(std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10" / "model.safetensors");
  VitConfig wanted;
  wanted.input_height = 56;
  wanted.input_width = 56;
  wanted.patch_size = 4;
  wanted.dim = 192;
  wanted.heads = 3;
  wanted.mlp_hidden = 768;
  wanted.classes = 10;
  test::expectSame(model.info.vit, wanted);
  EXPECT_EQ(model.info.name, "vit-tiny-cifar10");
  EXPECT_EQ(model.info.architecture, "vit_tiny_patch16_224");
  EXPECT_EQ(model.info.labels[3], "cat");
  EXPECT_GT(model.info.parameters, 5'000'000);
}

}  // namespace
}  // namespace adamerge
