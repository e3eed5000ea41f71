// SPDX-License-Identifier: GPL-3.0-or-later
// The Vision Transformer against timm 0.9.16: features and logits of 13 configurations, to 1e-5.
#include "engine/vit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "model/load_model.h"
#include "test_device.h"

namespace adamerge {
namespace {

const std::filesystem::path kVariants = std::filesystem::path(ADAMERGE_TEST_DATA) / "vit-variants";

class VitVariant : public testing::TestWithParam<std::string> {};

void expectClose(const at::Tensor& actual, const at::Tensor& expected) {
  ASSERT_EQ(actual.sizes(), expected.sizes());
  EXPECT_LT((actual.to(at::kCPU) - expected).abs().max().item<float>(),
            test::deviceTolerance(1e-5));
}

TEST_P(VitVariant, FeaturesAndLogitsEqualTimms) {
  const std::filesystem::path folder = kVariants / GetParam();
  const LoadedModel model = loadModel(folder);
  const VisionTransformer vit(model.info.vit, model.weights, at::Device(test::testDevice()),
                              at::kFloat);
  const auto none = findMethodEntry("none").make({}, {model.info.vit, nullptr});
  const StateDict expected = readWeights(folder / "case.safetensors").tensors;
  const VisionTransformer::Output output =
      vit.forward(expected.at("input"), *none, {.trace = false});
  expectClose(output.logits, expected.at("logits"));
  expectClose(at::stack(output.features), expected.at("features"));
}

std::vector<std::string> variantNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kVariants)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Timm, VitVariant, testing::ValuesIn(variantNames()), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(VitVariants, AllThirteenAreHere) { EXPECT_EQ(variantNames().size(), 13U); }

}  // namespace
}  // namespace adamerge
