// SPDX-License-Identifier: GPL-3.0-or-later
// The fast kernels against LibTorch's plain ones.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "engine/kernels/head_products.h"
#include "engine/kernels/packed_linear.h"

namespace adamerge {
namespace {

double largestDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

TEST(PackedLinear, EqualsLinearForAnyNumberOfRows) {
  at::manual_seed(0);
  for (const auto& [in, out] :
       std::vector<std::pair<int, int>>{{192, 576}, {192, 10}, {48, 1}, {33, 47}}) {
    const at::Tensor weight = at::randn({out, in});
    for (const bool with_bias : {true, false}) {
      const at::Tensor bias = with_bias ? at::randn({out}) : at::Tensor();
      const PackedLinear linear(weight, bias);
      ASSERT_TRUE(linear.defined());
      for (const int rows : {1, 2, 17, 64, 197, 577}) {
        const at::Tensor x = at::randn({rows, in});
        const at::Tensor exact = at::linear(x.to(at::kDouble), weight.to(at::kDouble),
                                            with_bias ? bias.to(at::kDouble) : at::Tensor());
        EXPECT_LT(largestDifference(linear(x), exact), 2e-4)
            << rows << " x " << in << " -> " << out << (with_bias ? " with bias" : "");
      }
    }
  }
}

TEST(PackedLinear, TakesViewsAndOtherTypes) {
  at::manual_seed(1);
  const at::Tensor weight = at::randn({24, 16});
  const at::Tensor bias = at::randn({24});
  const at::Tensor columns = at::randn({16, 9}).t();
  EXPECT_LT(
      largestDifference(PackedLinear(weight, bias)(columns), at::linear(columns, weight, bias)),
      1e-5);
  const PackedLinear exact(weight.to(at::kDouble), bias.to(at::kDouble));
  EXPECT_EQ(exact(columns.to(at::kDouble)).scalar_type(), at::kDouble);
  const PackedLinear half(weight.to(at::kBFloat16), bias.to(at::kBFloat16));
  EXPECT_EQ(half(columns.to(at::kBFloat16)).scalar_type(), at::kBFloat16);
  EXPECT_FALSE(PackedLinear().defined());
}

TEST(PackedLinear, SameBitsFromSeveralThreads) {
  at::manual_seed(2);
  const PackedLinear linear(at::randn({64, 192}), at::randn({64}));
  const at::Tensor x = at::randn({131, 192});
  const at::Tensor expected = linear(x);
  std::vector<at::Tensor> results(4);
  {
    std::vector<std::jthread> threads;
    for (at::Tensor& result : results) {
      threads.emplace_back([&] {
        const c10::InferenceMode guard;
        for (int i = 0; i < 20; ++i) result = linear(x);
      });
    }
  }
  for (const at::Tensor& result : results) EXPECT_TRUE(at::equal(result, expected));
}

TEST(MultiplyHeads, EqualsMatmulOnViewsOfPackedRows) {
  at::manual_seed(3);
  const int heads = 3;
  const int width = 16;
  for (const int tokens : {1, 5, 50, 197}) {
    const at::Tensor qkv = at::randn({tokens, 3, heads, width});
    const auto part = [&](int index) { return qkv.select(1, index).transpose(0, 1); };
    at::Tensor logits = at::empty({heads, tokens, tokens});
    multiplyHeads(part(0), part(1).transpose(1, 2), logits);
    EXPECT_LT(largestDifference(logits, part(0).matmul(part(1).transpose(1, 2))), 1e-4) << tokens;

    const at::Tensor weights = logits.softmax(-1);
    at::Tensor rows = at::full({tokens + 2, heads * width}, 7.0F);
    multiplyHeads(weights, part(2),
                  rows.narrow(0, 1, tokens).view({tokens, heads, width}).transpose(0, 1));
    const at::Tensor expected =
        weights.matmul(part(2)).transpose(0, 1).reshape({tokens, heads * width});
    EXPECT_LT(largestDifference(rows.narrow(0, 1, tokens), expected), 1e-5) << tokens;
    EXPECT_TRUE(rows.select(0, 0).eq(7).all().item<bool>()) << "rows beside the result stay";
    EXPECT_TRUE(rows.select(0, tokens + 1).eq(7).all().item<bool>());
  }
}

}  // namespace
}  // namespace adamerge
