// SPDX-License-Identifier: GPL-3.0-or-later
// Plans that would lose tokens or reach beyond them are refused before anything is changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <utility>

#include "engine/placed_model.h"
#include "error_message.h"
#include "merging/apply.h"
#include "merging/method.h"

namespace adamerge {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::int64_t kTokens = 6;
constexpr std::int64_t kPrefixTokens = 1;
constexpr int kBlock = 3;

/// One prefix token and five patches; 1 and 4 merge into 3.
MergePlan goodPlan() {
  MergePlan plan;
  plan.order = {0, 2, 3, 5};
  plan.merges = {{1, 3, 0.9F}, {4, 3, 0.8F}};
  plan.weights = {1, 1, 1, 1, 1, 1};
  plan.salience = {0, 0, 0, 0, 0};
  return plan;
}

std::string problemOf(const std::function<void(MergePlan&)>& spoil) {
  MergePlan plan = goodPlan();
  spoil(plan);
  return test::errorMessage([&] { checkPlan(plan, kTokens, kPrefixTokens, kBlock); });
}

TEST(PlanCheck, AcceptsWhatAccountsForEveryToken) {
  EXPECT_NO_THROW(checkPlan(goodPlan(), kTokens, kPrefixTokens, kBlock));
  EXPECT_NO_THROW(checkPlan({}, kTokens, kPrefixTokens, kBlock));
  MergePlan reordered = goodPlan();
  reordered.order = {0, 5, 3, 2};
  EXPECT_NO_THROW(checkPlan(reordered, kTokens, kPrefixTokens, kBlock));
  // Only a weighted mean reads weights.
  MergePlan pruned = goodPlan();
  pruned.combine = Combine::kPrune;
  pruned.weights.clear();
  EXPECT_NO_THROW(checkPlan(pruned, kTokens, kPrefixTokens, kBlock));
}

TEST(PlanCheck, NamesBlockAndTokenOfAFault) {
  const std::vector<std::pair<std::function<void(MergePlan&)>, const char*>> faults = {
      {[](MergePlan& p) {
         p.order = {0, 2, 3};
       },
       "token 5 neither stays nor merges"},
      {[](MergePlan& p) { p.merges.pop_back(); }, "token 4 neither stays nor merges"},
      {[](MergePlan& p) {
         p.order = {0, 2, 3, 5, 5};
       },
       "token 5 is there twice"},
      {[](MergePlan& p) {
         p.order = {0, 1, 2, 3, 5};
       },
       "token 1 is there twice"},
      {[](MergePlan& p) {
         p.merges.push_back({1, 3, 0});
       },
       "token 1 is there twice"},
      {[](MergePlan& p) {
         p.order = {0, 2, 3, 6};
       },
       "token 6 does not exist"},
      {[](MergePlan& p) {
         p.order = {0, 2, 3, -1};
       },
       "token -1 does not exist"},
      {[](MergePlan& p) { p.merges[0].source = 6; }, "token 6 does not exist"},
      {[](MergePlan& p) {
         p.order = {2, 0, 3, 5};
       },
       "token 2 is where a prefix token belongs"},
      {[](MergePlan& p) { p.merges[1].destination = 1; }, "token 1 is merged into and does not"},
      {[](MergePlan& p) { p.merges[1].destination = 6; }, "token 6 is no token to merge into"},
      {[](MergePlan& p) { p.merges[1].destination = 0; }, "token 0 is no token to merge into"},
      {[](MergePlan& p) { p.weights.pop_back(); }, "5 weights for 6 tokens"},
      {[](MergePlan& p) { p.salience.pop_back(); }, "4 saliences for 5 tokens"}};
  for (const auto& [spoil, problem] : faults) {
    EXPECT_THAT(problemOf(spoil), AllOf(HasSubstr("block 3: "), HasSubstr(problem)));
  }
  // A prefix token that merges.
  MergePlan plan = goodPlan();
  plan.order = {2, 3, 5};
  plan.merges.push_back({0, 3, 0});
  EXPECT_THROW(checkPlan(plan, kTokens, kPrefixTokens, kBlock), FaultyPlan);
}

/// Merges as it should in the blocks before `bad_block`, where it forgets the last token.
class Forgetful final : public ImageMethod {
 public:
  explicit Forgetful(int bad_block) : bad_block_(bad_block) {}
  Stage stage() const override { return Stage::kBeforeBlock; }
  MergePlan plan(const LayerTokens& layer) const override {
    MergePlan plan;
    plan.combine = Combine::kPrune;
    const std::int64_t last = layer.count() - 1;
    for (std::int64_t i = 0; i < last; ++i) plan.order.push_back(i);
    plan.merges = {{last, last - 1, 1}};
    if (layer.block == bad_block_) {
      plan.merges[0] = {last - 1, last - 2, 1};
      plan.order.pop_back();
    }
    return plan;
  }

 private:
  int bad_block_;
};

TEST(PlanCheck, TheEngineNamesTheMethodOfAFaultyPlan) {
  const Engine engine =
      Engine::load(std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10", {.device = "cpu"});
  const VitConfig& vit = engine.info().vit;
  InputTensor image{vit.input_height, vit.input_width, {}};
  image.values.assign(std::size_t{3} * vit.input_height * vit.input_width, 0.25F);
  const auto prepared = [&](int bad_block) {
    auto state = std::make_shared<PreparedMethod::State>();
    state->choice.method = "forgetful";
    state->method = std::make_unique<Forgetful>(bad_block);
    state->engine = engine.prepare({}).state().engine;
    return PreparedMethod(std::move(state));
  };
  const std::vector<InputTensor> images(3, image);
  for (const bool trace : {false, true}) {
    const RunOptions options{.trace = trace};
    EXPECT_EQ(engine.run(images, prepared(vit.depth), options).front().layers.back().tokens_out,
              vit.prefixTokens() + vit.patchTokens() - vit.depth);
    EXPECT_THAT(test::errorMessage([&] { engine.run(images, prepared(5), options); }),
                AllOf(HasSubstr("'forgetful'"), HasSubstr("block 5: token "),
                      HasSubstr("neither stays nor merges")));
  }
}

TEST(PlanCheck, ImagesOfABatchCombineInOneWay) {
  const std::vector<std::int64_t> counts{kTokens, kTokens, kTokens};
  std::vector<MergePlan> plans(3, goodPlan());
  plans[1] = {};
  const at::Tensor tokens = at::randn({3 * kTokens, 4});
  std::int64_t left = 0;
  for (const MergePlan& plan : plans) left += remainingTokens(plan, kTokens);
  const at::Tensor merged = at::empty({left, 4});
  EXPECT_NO_THROW(applyToAllTokens(plans, counts, tokens, merged));
  plans[2].combine = Combine::kPrune;
  EXPECT_THROW(applyToAllTokens(plans, counts, tokens, merged), FaultyPlan);
}

}  // namespace
}  // namespace adamerge
