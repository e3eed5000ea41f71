// SPDX-License-Identifier: GPL-3.0-or-later
// A picture of equal patches looks the same to a network without positions however many of its
// tokens merge, as long as attention and pooling count each token by its size.
#include <gtest/gtest.h>

#include "engine/vit.h"
#include "model/load_model.h"

namespace adamerge {
namespace {

class EqualPatches : public testing::TestWithParam<const char*> {};

TEST_P(EqualPatches, MergeWithoutATrace) {
  LoadedModel model = loadModel(std::filesystem::path(ADAMERGE_TEST_DATA) / GetParam());
  const VitConfig& vit = model.info.vit;
  ASSERT_FALSE(vit.isRotary());
  ASSERT_FALSE(vit.hasRelativeBias());
  ASSERT_NE(vit.pooling, Pooling::kToken);
  model.weights["pos_embed"] = at::zeros_like(model.weights.at("pos_embed"));
  const VisionTransformer network(vit, model.weights, at::kCPU, at::kFloat);
  const at::Tensor patch = at::randn({1, vit.channels, vit.patch_size, vit.patch_size});
  const at::Tensor picture = patch.repeat({1, 1, vit.gridHeight(), vit.gridWidth()});

  const auto run = [&](const MethodChoice& choice) {
    const auto method =
        findMethodEntry(choice.method).make(completeSettings(choice), MethodContext{vit});
    return network.forward(picture, *method, {.trace = false});
  };
  const auto unmerged = run({});
  const std::int64_t r = vit.patchTokens() / 4;
  const auto merged = run({"tome", {{"r", r}}, nullptr, false});
  EXPECT_LT(merged.images.front().tokens(), unmerged.images.front().tokens());
  EXPECT_LT((merged.embedding - unmerged.embedding).abs().max().item<float>(), 2e-5F);
  // Without the sizes in the attention it does show: the test can fail.
  if (vit.prefixTokens() > 0) {
    const auto plain = run({"tome", {{"r", r}, {"proportional_attention", false}}, nullptr, false});
    EXPECT_GT((plain.embedding - unmerged.embedding).abs().max().item<float>(), 1e-4F);
  }
}

INSTANTIATE_TEST_SUITE_P(Poolings, EqualPatches,
                         testing::Values("families-merging/siglip", "families-merging/post-norm",
                                         "vit-variants/avg-pool-fc-norm"));

}  // namespace
}  // namespace adamerge
