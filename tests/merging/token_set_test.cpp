// SPDX-License-Identifier: GPL-3.0-or-later
// What a set of very many tokens computes a few rows at a time, against plain formulas.
#include "merging/token_set.h"

#include <gtest/gtest.h>

#include "plan_arithmetic.h"

namespace adamerge {
namespace {

using namespace test;

constexpr int kPrefix = 1;
constexpr double kScale = 0.25;
constexpr double kMargin = 0.3;
constexpr double kLeast = 1e-6;

class SetThatIsNotHeld : public testing::TestWithParam<at::ScalarType> {};

TEST_P(SetThatIsNotHeld, GivesWhatThePlainFormulasGive) {
  const at::ScalarType dtype = GetParam();
  const double tolerance = dtype == at::kDouble ? 1e-12 : 1e-4;
  for (const int patches : {2, 255, 600, 1025}) {
    const at::Tensor tokens = randomTokens(patches + kPrefix, 12, patches);
    LayerTokens layer = layerOf(tokens, kPrefix, 0, std::vector<float>(patches + kPrefix, 1.0F));
    layer.deciding = dtype;
    const at::Tensor x = tokens.narrow(0, kPrefix, patches).to(at::kDouble);
    const at::Tensor pairs = x.mm(x.t());
    const auto expectNear = [&](const at::Tensor& found, const at::Tensor& wanted) {
      ASSERT_EQ(found.scalar_type(), dtype);
      ASSERT_EQ(found.sizes(), wanted.unsqueeze(0).sizes());
      EXPECT_LT((found[0] - wanted).abs().max().item<double>(), tolerance) << patches;
    };
    for (const Partition partition : {Partition::kAlternating, Partition::kHalves}) {
      const TokenSet set({&layer, 1}, &LayerTokens::tokens, kPrefix, partition, /*held=*/0);
      const at::Tensor gram = set.gram();
      ASSERT_FALSE(gram.defined());
      expectNear(set.columnSums(gram, kScale), (pairs * kScale).softmax(1).sum(0));
      expectNear(set.eluMeans(gram, kMargin), at::elu(pairs - kMargin).mean(1));
      expectNear(set.inverseLengths(gram, kLeast), x.norm(2, {1}).reciprocal());
      const at::Tensor all = at::arange(patches, at::kLong).unsqueeze(0);
      const at::Tensor sources = set.sources(all);
      const at::Tensor destinations = set.destinations(all);
      const at::Tensor between = pairs.index_select(0, sources[0]).index_select(1, destinations[0]);
      expectNear(set.between(gram), between);
      expectNear(set.between(gram, sources, destinations), between);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, SetThatIsNotHeld, testing::Values(at::kFloat, at::kDouble),
                         [](const auto& test) { return std::string(toString(test.param)); });

}  // namespace
}  // namespace adamerge
