// SPDX-License-Identifier: GPL-3.0-or-later
// The fast kernels against LibTorch's plain functions, in fp64 where those are to be the truth, for
// every instruction set that this machine has.
#include "kernels/linear.h"

#include <ATen/Parallel.h>

#include <string>
#include <thread>
#include <vector>

#include "engine/device.h"
#include "kernel_kinds.h"
#include "kernels/rows.h"

namespace adamerge {
namespace {

class Linear : public Kernels {};
INSTANTIATE_TEST_SUITE_P(Isas, Linear, testing::ValuesIn(kinds()), nameOf);

const std::vector<int> kRows = {1,  2,  3,  5,  6,  7,  12, 13, 15,  16,
                                17, 18, 31, 32, 33, 48, 64, 97, 131, 197};

TEST_P(Linear, EqualsThePlainOneForAnyShape) {
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

TEST_P(Linear, AppliesEveryActivation) {
  const at::Tensor weight = random({70, 40});
  const at::Tensor bias = random({70});
  const at::Tensor x = random({19, 40});
  const PackedLinear linear(weight, bias, isa());
  for (const Activation activation : kActivations) {
    const at::Tensor exact =
        plainLinear(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble), activation);
    EXPECT_LT(largestDifference(linear(x, activation), exact), tolerance(exact))
        << static_cast<int>(activation);
  }
}

TEST_P(Linear, ActivationsAreAccurateOverTheirWholeRange) {
  // The identity as weights hands the numbers themselves to the activation.
  const at::Tensor x = at::linspace(-30, 30, 64 * 1001).reshape({1001, 64}).to(dtype());
  const PackedLinear identity(at::eye(64).to(dtype()), at::Tensor(), isa());
  for (const Activation activation : kActivations) {
    const at::Tensor exact = activate(x.to(at::kDouble), activation);
    const at::Tensor error = identity(x, activation, at::kFloat).to(at::kDouble) - exact;
    EXPECT_LT((error.abs() / (1 + exact.abs())).max().item<double>(), 3e-7)
        << static_cast<int>(activation);
  }
}

TEST_P(Linear, AddsToWhatIsThere) {
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

TEST_P(Linear, ARowsBitsDependOnNeitherOtherRowsNorThreads) {
  const int before = at::get_num_threads();
  const at::Tensor x = random({300, 192});
  const LayerNorm norm{at::randn({192}), at::randn({192}), 1e-6};
  const at::Tensor stream = at::randn({300, 192});
  const std::vector<std::pair<int, int>> parts{{0, 1}, {7, 5}, {50, 33}, {103, 197}};
  // Whole panels, and one whose last vector is one of its own.
  for (const int columns : {160, 72}) {
    const PackedLinear linear(random({columns, 192}), random({columns}), isa());
    at::set_num_threads(1);
    const at::Tensor whole = linear(x, Activation::kGelu);
    for (const int threads : {1, 2, 3}) {
      at::set_num_threads(threads);
      EXPECT_TRUE(at::equal(linear(x, Activation::kGelu), whole)) << threads;
      for (const auto& [first, count] : parts) {
        EXPECT_TRUE(at::equal(linear(x.narrow(0, first, count), Activation::kGelu),
                              whole.narrow(0, first, count)))
            << first << " of " << columns << " columns";
      }
    }
  }
  at::set_num_threads(1);
  const at::Tensor normal = layerNorm(stream, norm, dtype(), isa());
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    EXPECT_TRUE(at::equal(layerNorm(stream, norm, dtype(), isa()), normal)) << threads;
    for (const auto& [first, count] : parts) {
      EXPECT_TRUE(at::equal(layerNorm(stream.narrow(0, first, count), norm, dtype(), isa()),
                            normal.narrow(0, first, count)))
          << first;
    }
  }
  at::set_num_threads(before);
}

TEST_P(Linear, SameBitsFromSeveralThreadsAtOnce) {
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
  EXPECT_FALSE(PackedLinear().defined());
}

}  // namespace
}  // namespace adamerge
