// SPDX-License-Identifier: GPL-3.0-or-later
// The network that is trained is the one that the engine runs.
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "adamerge/engine.h"
#include "adamerge/image.h"
#include "batches.h"
#include "drawn_pictures.h"
#include "model_folder.h"
#include "support/json.h"
#include "temporary_folder.h"

namespace adamerge::training {
namespace {

class NetworkTest : public testing::Test {
 protected:
  NetworkTest() {
    const c10::NoGradGuard guard;
    // As initialised all logits are nearly alike, which would hide mistakes.
    for (const Parameter& parameter : vit_.parameters()) {
      parameter.value.add_(random_.normal(parameter.value.sizes(), 0.2));
    }
  }
  at::Tensor images() const {
    return plainImages(data_.test, 0, kImages, preprocessingOf(recipe_));
  }
  at::Tensor logits(const Dropped& dropped = {}) const {
    const c10::NoGradGuard guard;
    return vit_.forward(images(), at::kFloat, dropped);
  }

  static constexpr std::int64_t kImages = 6;
  Recipe recipe_ = test::smallRecipe();
  TrainingData data_ = test::drawnData();
  Random random_{7};
  TrainableVit vit_{architectureOf(recipe_, 3), random_, at::kCPU};
  test::TemporaryFolder folder_;
};

TEST_F(NetworkTest, EqualsTheEngineOnTheExportedFolder) {
  writeModelFolder(folder_.path() / "model", recipe_, data_.classes, weightsOf(vit_), at::kFloat);
  const Engine engine = Engine::load(folder_.path() / "model", {.dtype = "float32"});
  EXPECT_EQ(engine.info().labels, data_.classes);
  EXPECT_THAT(engine.info().notes, testing::IsEmpty());
  std::vector<InputTensor> inputs;
  for (std::size_t i = 0; i < kImages; ++i) {
    inputs.push_back(prepareImage(data_.test.images[i], engine.info().preprocessing).input);
  }
  MethodChoice unmerged;
  unmerged.method = "none";
  const std::vector<ImageResult> results = engine.run(inputs, unmerged);
  const at::Tensor ours = logits();
  for (std::int64_t image = 0; image < kImages; ++image) {
    for (std::int64_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(ours[image][c].item<float>(),
                  results[static_cast<std::size_t>(image)].logits[static_cast<std::size_t>(c)],
                  1e-5);
    }
  }
  EXPECT_GT((ours[0] - ours[1]).abs().max().item<float>(), 0.01F);
}

TEST_F(NetworkTest, ExportsTheBundledShapeAsItsConfigSays) {
  const Recipe recipe;
  const TrainableVit vit(architectureOf(recipe, 3), random_, at::kCPU);
  writeModelFolder(folder_.path() / "model", recipe, data_.classes, weightsOf(vit), at::kHalf);
  const auto written = readJson(folder_.path() / "model" / "config.json");
  const auto bundled =
      readJson(std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10" / "config.json");
  for (const auto& [key, value] : bundled.at("model_args").items()) {
    EXPECT_EQ(written.at("model_args").at(key), value) << key;
  }
  for (const char* key : {"input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std"}) {
    EXPECT_EQ(written.at("pretrained_cfg").at(key), bundled.at("pretrained_cfg").at(key)) << key;
  }
}

TEST_F(NetworkTest, DoesNotMindTheOrderInWhichPatchesEnter) {
  Dropped dropped;
  dropped.kept_patches = std::get<1>(random_.uniform({kImages, 16}).sort(1));
  EXPECT_LT((logits(dropped) - logits()).abs().max().item<float>(), 1e-5F);
  dropped.kept_patches = dropped.kept_patches.narrow(1, 0, 8);
  EXPECT_GT((logits(dropped) - logits()).abs().max().item<float>(), 1e-3F);
}

TEST_F(NetworkTest, LeavesOutBranchesImageByImage) {
  Dropped dropped;
  dropped.branches = at::ones({2 * recipe_.depth, kImages});
  dropped.branches.select(1, 2).zero_();
  const at::Tensor all = logits();
  const at::Tensor some = logits(dropped);
  EXPECT_TRUE(some[1].allclose(all[1], 0, 1e-6));
  // Without any branch the class token never meets a patch.
  dropped.branches.zero_();
  const at::Tensor none = logits(dropped);
  EXPECT_TRUE(some[2].allclose(none[2], 0, 1e-6));
  EXPECT_TRUE(none[0].allclose(none[5], 0, 1e-6));
}

TEST_F(NetworkTest, Bfloat16StaysNearFloat32) {
  const c10::NoGradGuard guard;
  const at::Tensor low = vit_.forward(images(), at::kBFloat16);
  EXPECT_EQ(low.scalar_type(), at::kFloat);
  EXPECT_LT((low - logits()).abs().max().item<float>(), 0.1F);
}

}  // namespace
}  // namespace adamerge::training
