// SPDX-License-Identifier: GPL-3.0-or-later
// Schedules and AdamW against numbers worked out by hand.
#include <gmock/gmock.h>

#include <set>

#include "adamw.h"
#include "drawn_pictures.h"
#include "schedule.h"

namespace adamerge::training {
namespace {

TEST(Schedule, WarmsUpLinearlyThenFollowsACosineToZero) {
  Recipe recipe;
  recipe.learning_rate = 0.002;
  recipe.warm_up = 0.1;
  EXPECT_DOUBLE_EQ(learningRate(recipe, 0, 100), 0.0002);
  EXPECT_DOUBLE_EQ(learningRate(recipe, 4, 100), 0.001);
  EXPECT_DOUBLE_EQ(learningRate(recipe, 9, 100), 0.002);
  EXPECT_DOUBLE_EQ(learningRate(recipe, 10, 100), 0.002);
  EXPECT_DOUBLE_EQ(learningRate(recipe, 40, 100), 0.0015) << "a third: cos(60 degrees) is 1/2";
  EXPECT_DOUBLE_EQ(learningRate(recipe, 55, 100), 0.001);
  EXPECT_DOUBLE_EQ(learningRate(recipe, 70, 100), 0.0005);
  EXPECT_NEAR(learningRate(recipe, 100, 100), 0.0, 1e-18);
  recipe.warm_up = 0;
  EXPECT_DOUBLE_EQ(learningRate(recipe, 0, 100), 0.002);
}

TEST(Schedule, KeepsTheBundledModelsPatches) {
  const Recipe recipe;
  EXPECT_EQ(keptPatches(recipe, 0, 1000, 196), 56);
  EXPECT_EQ(keptPatches(recipe, 549, 1000, 196), 56);
  EXPECT_EQ(keptPatches(recipe, 550, 1000, 196), 84);
  EXPECT_EQ(keptPatches(recipe, 779, 1000, 196), 84);
  EXPECT_EQ(keptPatches(recipe, 780, 1000, 196), 196);
  EXPECT_EQ(keptPatches(recipe, 0, 1000, 1), 1) << "never none";
}

TEST(WeightDecay, IsForMatricesOnly) {
  Random random(0);
  const TrainableVit vit(architectureOf(test::smallRecipe(), 3), random, at::kCPU);
  std::set<std::string> decaying;
  for (const Parameter& parameter : vit.parameters()) {
    if (parameter.decays) decaying.insert(parameter.name);
  }
  EXPECT_EQ(vit.parameters().size(), 32U)
      << "2 tokens and positions, 2 patches, 2 x 12, 4 at the end";
  EXPECT_THAT(decaying,
              testing::ElementsAre("blocks.0.attn.proj.weight", "blocks.0.attn.qkv.weight",
                                   "blocks.0.mlp.fc1.weight", "blocks.0.mlp.fc2.weight",
                                   "blocks.1.attn.proj.weight", "blocks.1.attn.qkv.weight",
                                   "blocks.1.mlp.fc1.weight", "blocks.1.mlp.fc2.weight",
                                   "head.weight", "patch_embed.proj.weight"));
}

class AdamWTest : public testing::Test {
 protected:
  static Parameter parameter(bool decays) {
    return {"w", at::ones({1, 1}).set_requires_grad(true), decays};
  }
  void setGradients(float value) const {
    for (const Parameter& parameter : parameters_) {
      parameter.value.mutable_grad() = at::full({1, 1}, value);
    }
  }
  double value(std::size_t index) const { return parameters_[index].value.item<double>(); }

  std::vector<Parameter> parameters_{parameter(true), parameter(false)};
};

TEST_F(AdamWTest, TakesTheStepsOfThePaper) {
  AdamW optimiser(parameters_, {.beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.1});
  setGradients(0.5F);
  optimiser.update(0.1, 1);
  // The first step has length 0.1, whatever the gradient; the decay took 0.01 before.
  EXPECT_NEAR(value(0), 0.89, 1e-6);
  EXPECT_NEAR(value(1), 0.9, 1e-6);
  setGradients(-0.25F);
  optimiser.update(0.1, 2);
  // m = 0.02, v = 0.0031: a step of 0.1 * (0.02 / 0.19) / sqrt(0.0031 / 0.0199) = 0.0266701.
  EXPECT_NEAR(value(0), 0.89 * 0.99 - 0.0266701, 1e-6);
  EXPECT_NEAR(value(1), 0.9 - 0.0266701, 1e-6);
  EXPECT_FALSE(parameters_[0].value.grad().defined());
}

TEST_F(AdamWTest, ClipsTheNormOfAllGradientsTogether) {
  parameters_[0].value.mutable_grad() = at::full({1, 1}, 3.0F);
  parameters_[1].value.mutable_grad() = at::full({1, 1}, -4.0F);
  EXPECT_FLOAT_EQ(clipGradients(parameters_, 0).item<float>(), 5.0F);
  EXPECT_FLOAT_EQ(clipGradients(parameters_, 10).item<float>(), 5.0F);
  EXPECT_FLOAT_EQ(parameters_[0].value.grad().item<float>(), 3.0F) << "short enough: left";
  EXPECT_FLOAT_EQ(clipGradients(parameters_, 1).item<float>(), 5.0F);
  EXPECT_NEAR(parameters_[0].value.grad().item<float>(), 0.6, 1e-6);
  EXPECT_NEAR(parameters_[1].value.grad().item<float>(), -0.8, 1e-6);
}

}  // namespace
}  // namespace adamerge::training
