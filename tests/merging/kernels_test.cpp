// SPDX-License-Identifier: GPL-3.0-or-later
// The fast kernels against LibTorch's plain functions, in fp64 where those are to be the truth, for
// every instruction set that this machine has.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "engine/device.h"
#include "engine/kernels/attention.h"
#include "engine/kernels/layer_norm.h"
#include "engine/kernels/packed_linear.h"

namespace adamerge {
namespace {

double largestDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

const std::vector<int> kRows = {1,  2,  3,  5,  6,  7,  12, 13, 15,  16,
                                17, 18, 31, 32, 33, 48, 64, 97, 131, 197};

/// One instruction set and number type that have a kernel here.
struct Kind {
  std::string name;
  Isa isa;
  at::ScalarType dtype;
};
std::string nameOf(const testing::TestParamInfo<Kind>& info) { return info.param.name; }

std::vector<Kind> kinds() {
  std::vector<Kind> found;
  for (const Kind& kind :
       {Kind{"baseline", Isa::kBaseline, at::kFloat}, Kind{"avx2", Isa::kAvx2, at::kFloat},
        Kind{"avx512", Isa::kAvx512, at::kFloat}, Kind{"amx", Isa::kAmx, at::kBFloat16}}) {
    if (kind.isa <= bestIsa()) found.push_back(kind);
  }
  return found;
}

class Kernels : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { at::manual_seed(7); }
  Isa isa() const { return GetParam().isa; }
  at::ScalarType dtype() const { return GetParam().dtype; }
  bool half() const { return dtype() == at::kBFloat16; }
  at::Tensor random(at::IntArrayRef shape) const { return at::randn(shape).to(dtype()); }
  /// Sums are taken in fp32; what is stored is rounded to 8 bits in bf16.
  double tolerance(const at::Tensor& exact) const {
    const double largest = std::max(1.0, exact.abs().max().item<double>());
    return (half() ? 1.0 / 256 : 2e-6) * largest;
  }
};
INSTANTIATE_TEST_SUITE_P(Isas, Kernels, testing::ValuesIn(kinds()), nameOf);

TEST_P(Kernels, LinearEqualsThePlainOneForAnyShape) {
  for (const auto& [in, out] : std::vector<std::pair<int, int>>{
           {192, 576}, {192, 10}, {48, 1}, {33, 47}, {1, 65}, {100, 31}, {96, 130}, {6200, 33}}) {
    const at::Tensor weight = random({out, in});
    for (const bool with_bias : {true, false}) {
      const at::Tensor bias = with_bias ? random({out}) : at::Tensor();
      const PackedLinear linear(weight, bias, isa());
      ASSERT_TRUE(linear.defined());
      for (const int rows : kRows) {
        SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(in) + " -> " +
                     std::to_string(out) + (with_bias ? " with bias" : ""));
        const at::Tensor x = random({rows, in});
        const at::Tensor exact = plainLinear(x.to(at::kDouble), weight.to(at::kDouble),
                                             with_bias ? bias.to(at::kDouble) : bias, std::nullopt);
        const at::Tensor result = linear(x);
        EXPECT_EQ(result.scalar_type(), dtype());
        EXPECT_LT(largestDifference(result, exact), tolerance(exact));
        EXPECT_LT(largestDifference(linear(x, std::nullopt, at::kFloat), exact), 1e-3);
      }
    }
  }
}

TEST_P(Kernels, LinearAppliesEveryActivation) {
  const at::Tensor weight = random({70, 40});
  const at::Tensor bias = random({70});
  const at::Tensor x = random({19, 40});
  const PackedLinear linear(weight, bias, isa());
  for (const Activation activation :
       {Activation::kGelu, Activation::kGeluTanh, Activation::kQuickGelu}) {
    const at::Tensor exact =
        plainLinear(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble), activation);
    EXPECT_LT(largestDifference(linear(x, activation), exact), tolerance(exact))
        << static_cast<int>(activation);
  }
}

TEST_P(Kernels, ActivationsAreAccurateOverTheirWholeRange) {
  // The identity as weights hands the numbers themselves to the activation.
  const at::Tensor x = at::linspace(-30, 30, 64 * 1001).reshape({1001, 64}).to(dtype());
  const PackedLinear identity(at::eye(64).to(dtype()), at::Tensor(), isa());
  for (const Activation activation :
       {Activation::kGelu, Activation::kGeluTanh, Activation::kQuickGelu}) {
    const at::Tensor exact = activate(x.to(at::kDouble), activation);
    const at::Tensor error = identity(x, activation, at::kFloat).to(at::kDouble) - exact;
    EXPECT_LT((error.abs() / (1 + exact.abs())).max().item<double>(), 3e-7)
        << static_cast<int>(activation);
  }
}

TEST_P(Kernels, LinearAddsToWhatIsThere) {
  const at::Tensor weight = random({45, 64});
  const at::Tensor bias = random({45});
  const PackedLinear linear(weight, bias, isa());
  for (const int rows : {1, 16, 37}) {
    const at::Tensor x = random({rows, 64});
    const at::Tensor before = at::randn({rows, 45});
    at::Tensor sums = before.clone();
    linear.addTo(sums, x);
    const at::Tensor exact =
        before.to(at::kDouble) +
        plainLinear(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble), std::nullopt);
    EXPECT_LT(largestDifference(sums, exact), 1e-4);
  }
}

TEST_P(Kernels, ARowsBitsDependOnNeitherOtherRowsNorThreads) {
  const int before = at::get_num_threads();
  const at::Tensor x = random({300, 192});
  const PackedLinear linear(random({160, 192}), random({160}), isa());
  const LayerNorm norm{at::randn({192}), at::randn({192}), 1e-6};
  const at::Tensor stream = at::randn({300, 192});
  at::set_num_threads(1);
  const at::Tensor whole = linear(x, Activation::kGelu);
  const at::Tensor normal = layerNorm(stream, norm, dtype(), isa());
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    EXPECT_TRUE(at::equal(linear(x, Activation::kGelu), whole)) << threads;
    EXPECT_TRUE(at::equal(layerNorm(stream, norm, dtype(), isa()), normal)) << threads;
    for (const auto& [first, count] :
         std::vector<std::pair<int, int>>{{0, 1}, {7, 5}, {50, 33}, {103, 197}}) {
      EXPECT_TRUE(at::equal(linear(x.narrow(0, first, count), Activation::kGelu),
                            whole.narrow(0, first, count)))
          << first;
      EXPECT_TRUE(at::equal(layerNorm(stream.narrow(0, first, count), norm, dtype(), isa()),
                            normal.narrow(0, first, count)))
          << first;
    }
  }
  at::set_num_threads(before);
}

TEST_P(Kernels, LayerNormEqualsThePlainOne) {
  for (const int columns : {1, 3, 16, 31, 33, 64, 100, 192, 768}) {
    const LayerNorm norm{at::randn({columns}), at::randn({columns}), 1e-6};
    const LayerNorm exact_norm{norm.weight.to(at::kDouble), norm.bias.to(at::kDouble), 1e-6};
    for (const int rows : {1, 2, 33, 197}) {
      // A mean far from zero costs digits if the variance is not taken around it.
      const at::Tensor x = at::randn({rows, columns}) + 100;
      const at::Tensor exact = plainLayerNorm(x.to(at::kDouble), exact_norm, at::kDouble);
      const at::Tensor result = layerNorm(x, norm, dtype(), isa());
      EXPECT_EQ(result.scalar_type(), dtype());
      EXPECT_LT(largestDifference(result, exact), half() ? tolerance(exact) : 3e-4)
          << rows << " x " << columns;
    }
  }
}

/// Images of all kinds of lengths packed one below the other.
std::vector<AttentionImage> someImages() {
  std::vector<AttentionImage> images;
  for (const int tokens : {1, 2, 5, 16, 17, 32, 33, 64, 65, 97, 197}) {
    AttentionImage image;
    image.tokens = tokens;
    image.first_row = tokens % 2 == 1;
    for (int i = 0; tokens > 16 && i < tokens; ++i) {
      image.log_sizes.push_back(std::log(1.0F + static_cast<float>(i % 4)));
    }
    images.push_back(image);
  }
  return images;
}

TEST_P(Kernels, AttentionEqualsThePlainOne) {
  const std::vector<AttentionImage> images = someImages();
  const std::int64_t total =
      std::accumulate(images.begin(), images.end(), std::int64_t{0},
                      [](std::int64_t sum, const AttentionImage& i) { return sum + i.tokens; });
  for (const auto& [heads, width] :
       std::vector<std::pair<int, int>>{{3, 64}, {1, 16}, {2, 33}, {2, 80}, {1, 7}, {1, 130}}) {
    SCOPED_TRACE(std::to_string(heads) + " heads of " + std::to_string(width));
    const at::Tensor qkv = random({total, 3 * heads * width});
    const AttentionOutput exact = plainAttention(qkv.to(at::kDouble), heads, images);
    const AttentionOutput result = attention(qkv, heads, images, isa());
    EXPECT_EQ(result.mixed.scalar_type(), dtype());
    EXPECT_LT(largestDifference(result.mixed, exact.mixed), half() ? 0.02 : 3e-6);
    for (std::size_t i = 0; i < images.size(); ++i) {
      ASSERT_EQ(result.first_rows[i].size(), exact.first_rows[i].size());
      for (std::size_t k = 0; k < result.first_rows[i].size(); ++k) {
        EXPECT_NEAR(result.first_rows[i][k], exact.first_rows[i][k], half() ? 1e-4 : 1e-6);
      }
    }
  }
}

TEST_P(Kernels, AttentionOfAnImageIsTheSameAloneAndOnAnyNumberOfThreads) {
  const int before = at::get_num_threads();
  const std::vector<AttentionImage> images = someImages();
  std::int64_t total = 0;
  for (const AttentionImage& image : images) total += image.tokens;
  const at::Tensor qkv = random({total, 3 * 3 * 64});
  at::set_num_threads(1);
  const AttentionOutput together = attention(qkv, 3, images, isa());
  for (const int threads : {1, 2, 4}) {
    at::set_num_threads(threads);
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < images.size(); ++i) {
      const AttentionOutput alone =
          attention(qkv.narrow(0, offset, images[i].tokens), 3, {&images[i], 1}, isa());
      EXPECT_TRUE(at::equal(alone.mixed, together.mixed.narrow(0, offset, images[i].tokens))) << i;
      EXPECT_EQ(alone.first_rows.front(), together.first_rows[i]) << i;
      offset += images[i].tokens;
    }
  }
  at::set_num_threads(before);
}

TEST_P(Kernels, AttentionSurvivesLogitsOfAnySize) {
  at::Tensor qkv = random({40, 3 * 32}) * 300;
  const AttentionImage image{40, {}, true};
  const AttentionOutput exact = plainAttention(qkv.to(at::kDouble), 1, {&image, 1});
  const AttentionOutput result = attention(qkv, 1, {&image, 1}, isa());
  EXPECT_TRUE(result.mixed.isfinite().all().item<bool>());
  // Logits of 1e5 in fp32 are known to some hundredths.
  EXPECT_LT(largestDifference(result.mixed, exact.mixed), 30);
  EXPECT_NEAR(std::accumulate(result.first_rows[0].begin(), result.first_rows[0].end(), 0.0), 1,
              1e-5);
}

TEST_P(Kernels, SameBitsFromSeveralThreadsAtOnce) {
  const PackedLinear linear(random({64, 192}), random({64}), isa());
  const at::Tensor x = random({131, 192});
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
  // Below AMX, bf16 is LibTorch's.
  const PackedLinear half(weight.to(at::kBFloat16), bias.to(at::kBFloat16), Isa::kBaseline);
  EXPECT_EQ(half(columns.to(at::kBFloat16)).scalar_type(), at::kBFloat16);
  EXPECT_FALSE(PackedLinear().defined());
}

}  // namespace
}  // namespace adamerge
