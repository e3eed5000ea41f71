// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/apply.h"

#include <gtest/gtest.h>

namespace adamerge {
namespace {

/// Five tokens of two values; 1 and 4 merge into 3.
MergePlan threeIntoOne(Combine combine) {
  MergePlan plan;
  plan.order = {0, 2, 3};
  plan.merges = {{1, 3, 0.9F}, {4, 3, 0.8F}};
  plan.combine = combine;
  plan.weights = {1, 1, 1, 2, 5};
  return plan;
}

at::Tensor tokens() {
  return at::tensor({9., 9., 8., 0., 7., 7., 0., 4., 0., 3.}).reshape({5, 2}).to(at::kFloat);
}

/// By LibTorch's functions, with which the kernel must agree.
at::Tensor applied(const MergePlan& plan, const at::Tensor& before) {
  const auto result = [&] {
    return at::empty({remainingTokens(plan, before.size(0)), before.size(1)}, before.options());
  };
  at::Tensor plain = result();
  plainApplyToTokens(plan, before, plain);
  at::Tensor fast = result();
  applyToTokens(plan, before, fast);
  EXPECT_TRUE(at::allclose(plain, fast, /*rtol=*/1e-6, /*atol=*/1e-6));
  return fast;
}

void expectRows(const at::Tensor& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.numel(), static_cast<std::int64_t>(expected.size()));
  const at::Tensor host = actual.to(at::kFloat).contiguous();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(host.data_ptr<float>()[i], expected[i], 1e-5) << i;
  }
}

TEST(Apply, WeightedMean) {
  expectRows(applied(threeIntoOne(Combine::kWeightedMean), tokens()), {9, 9, 7, 7, 1.0F, 2.875F});
}

TEST(Apply, PruneKeepsTheDestination) {
  expectRows(applied(threeIntoOne(Combine::kPrune), tokens()), {9, 9, 7, 7, 0, 4});
}

TEST(Apply, NormPreservingMean) {
  // Mean (8, 7) / 3, over the destination's old norm 4, times the largest norm 8.
  expectRows(applied(threeIntoOne(Combine::kNormPreserving), tokens()),
             {9, 9, 7, 7, 16.0F / 3, 14.0F / 3});
}

TEST(Apply, TinyWeightsStillAverage) {
  MergePlan plan = threeIntoOne(Combine::kWeightedMean);
  plan.weights = {1, 1e-6F, 1, 1e-6F, 1e-6F};
  expectRows(applied(plan, tokens()), {9, 9, 7, 7, 8.0F / 3, 7.0F / 3});
}

TEST(Apply, KeepsDtypeAndUntouchedTokens) {
  const at::Tensor half = tokens().to(at::kBFloat16);
  const at::Tensor merged = applied(threeIntoOne(Combine::kWeightedMean), half);
  EXPECT_EQ(merged.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(merged.narrow(0, 0, 1).equal(half.narrow(0, 0, 1)));
}

TEST(Apply, SizesAddUpAndPositionsFollow) {
  const MergePlan plan = threeIntoOne(Combine::kWeightedMean);
  EXPECT_EQ(applyToSizes(plan, {1, 1, 1, 2, 5}), (std::vector<float>{1, 1, 8}));
  EXPECT_EQ(newPositions(plan, 5), (std::vector<int>{0, 2, 1, 2, 2}));
}

TEST(Apply, AnEmptyPlanChangesNothing) {
  const at::Tensor before = tokens();
  EXPECT_TRUE(applied({}, before).equal(before));
  EXPECT_EQ(applyToSizes({}, {1, 2}), (std::vector<float>{1, 2}));
}

}  // namespace
}  // namespace adamerge
