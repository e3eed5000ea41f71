// SPDX-License-Identifier: GPL-3.0-or-later
// Products in whole numbers against the same arithmetic in fp64, for every instruction set that
// this machine has.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <limits>

#include "adamerge/error.h"
#include "kernel_kinds.h"
#include "kernels/cpu/kernel_tables.h"
#include "kernels/linear.h"

namespace adamerge {
namespace {

std::vector<Kind> int8Kinds() {
  std::vector<Kind> found;
  for (const Kind& kind :
       {Kind{"baseline", Isa::kBaseline, at::kFloat}, Kind{"avx2", Isa::kAvx2, at::kFloat},
        Kind{"avx512", Isa::kAvx512, at::kFloat},
        Kind{"avx512vnni", Isa::kAvx512Bf16, at::kFloat}}) {
    if (kind.isa <= bestIsa()) found.push_back(kind);
  }
  return found;
}

class Int8 : public Kernels {};
INSTANTIATE_TEST_SUITE_P(Isas, Int8, testing::ValuesIn(int8Kinds()), nameOf);

/// [out, in] as whole numbers of 8 bits times a scale for each row.
at::Tensor roundedWeight(const at::Tensor& weight) {
  const at::Tensor largest = weight.abs().amax(1, true);
  const at::Tensor inverse = at::where(largest > 0, 127 / largest, at::zeros_like(largest));
  return (weight * inverse).round().to(at::kDouble) * (largest / 127).to(at::kDouble);
}

/// [rows, in] as whole numbers of 7 bits, from a zero point on.
at::Tensor roundedRows(const at::Tensor& given) {
  const at::Tensor x = given.to(at::kFloat);
  const at::Tensor low = (-x.amin(1, true)).clamp_min(0);
  const at::Tensor range = x.amax(1, true).clamp_min(0) + low;
  const at::Tensor inverse = at::where(range > 0, 127 / range, at::zeros_like(range));
  const at::Tensor zero = (low * inverse).round();
  const at::Tensor values = ((x * inverse).round() + zero).clamp(0, 127) - zero;
  return values.to(at::kDouble) * (range / 127).to(at::kDouble);
}

TEST_P(Int8, MultipliesWhatIsRoundedToWholeNumbers) {
  for (const auto& [in, out] : std::vector<std::pair<int, int>>{
           {192, 576}, {192, 10}, {48, 1}, {33, 47}, {1, 65}, {3, 31}, {98, 130}, {6200, 33}}) {
    const at::Tensor weight = random({out, in});
    const at::Tensor bias = random({out});
    const PackedLinear linear = PackedLinear::int8(weight, bias, isa());
    for (const int rows : {1, 2, 3, 4, 5, 6, 7, 13, 33, 97, 197}) {
      for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(in) + " -> " +
                     std::to_string(out));
        // Of one sign too: a zero point at the end.
        const at::Tensor x =
            (rows % 2 == 0 ? random({rows, in}) : random({rows, in}).abs()).to(type);
        const at::Tensor exact =
            at::matmul(roundedRows(x), roundedWeight(weight).t()) + bias.to(at::kDouble);
        const at::Tensor result = linear(x, std::nullopt, at::kFloat);
        EXPECT_LT(largestDifference(result, exact), 1e-6 * exact.abs().max().item<double>() + 1e-6);
        EXPECT_EQ(linear(x).scalar_type(), type);
      }
    }
  }
}

TEST_P(Int8, ComesNearThePlainProduct) {
  const at::Tensor weight = random({384, 384});
  const at::Tensor x = random({197, 384});
  const at::Tensor exact = at::matmul(x, weight.t());
  const at::Tensor error = PackedLinear::int8(weight, {}, isa())(x) - exact;
  EXPECT_LT((error.norm() / exact.norm()).item<double>(), 0.02);
}

TEST_P(Int8, HasTheBitsOfEveryInstructionSet) {
  const at::Tensor weight = random({130, 770});
  const at::Tensor bias = random({130});
  const at::Tensor x = random({41, 770}) * 3;
  EXPECT_TRUE(at::equal(PackedLinear::int8(weight, bias, isa())(x),
                        PackedLinear::int8(weight, bias, Isa::kBaseline)(x)));
}

TEST_P(Int8, LargestNumbersDoNotOverflow) {
  const at::Tensor weight = at::cat({at::full({3, 4096}, -2.0F), at::full({3, 4096}, 2.0F)});
  const at::Tensor x = at::full({5, 4096}, 9.0F);
  const at::Tensor result = PackedLinear::int8(weight, {}, isa())(x);
  EXPECT_LT(largestDifference(result, at::matmul(x, weight.t())), 0.01);
}

TEST_P(Int8, WhatIsNoNumberStaysInItsRow) {
  const PackedLinear linear = PackedLinear::int8(random({20, 50}), random({20}), isa());
  for (const float wrong :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    for (const int column : {0, 17, 49}) {
      at::Tensor x = random({3, 50});
      const at::Tensor before = linear(x);
      x[1][column] = wrong;
      const at::Tensor after = linear(x);
      EXPECT_TRUE(at::equal(after[0], before[0]));
      EXPECT_TRUE(after[1].isnan().all().item<bool>()) << column;
      EXPECT_TRUE(at::equal(after[2], before[2]));
    }
  }
}

TEST_P(Int8, RowsOfZerosGiveTheBias) {
  const at::Tensor bias = random({70});
  const at::Tensor result = PackedLinear::int8(random({70, 40}), bias, isa())(at::zeros({2, 40}));
  EXPECT_TRUE(at::equal(result[0], bias));
  const at::Tensor none = PackedLinear::int8(at::zeros({70, 40}), bias, isa())(random({2, 40}));
  EXPECT_TRUE(at::equal(none[1], bias));
}

TEST_P(Int8, ARowsBitsDependOnNeitherOtherRowsNorThreads) {
  const int before = at::get_num_threads();
  const at::Tensor x = random({300, 192});
  const PackedLinear linear = PackedLinear::int8(random({160, 192}), random({160}), isa());
  at::set_num_threads(1);
  const at::Tensor whole = linear(x, Activation::kGelu);
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    EXPECT_TRUE(at::equal(linear(x, Activation::kGelu), whole)) << threads;
    for (const auto& [first, count] :
         std::vector<std::pair<int, int>>{{0, 1}, {7, 5}, {50, 33}, {103, 197}}) {
      EXPECT_TRUE(at::equal(linear(x.narrow(0, first, count), Activation::kGelu),
                            whole.narrow(0, first, count)))
          << first;
    }
  }
  at::set_num_threads(before);
}

TEST_P(Int8, AddsToWhatIsThereAndTakesAChange) {
  const at::Tensor weight = random({45, 66});
  const at::Tensor change = random({45, 66});
  const at::Tensor x = random({37, 66});
  at::Tensor sums = at::ones({37, 45});
  const PackedLinear linear = PackedLinear::int8(weight, random({45}), isa());
  linear.addTo(sums, x);
  EXPECT_LT(largestDifference(sums, linear(x) + 1), 1e-5);
  const at::Tensor exact = linear(x) + at::matmul(x, change.t());
  const at::Tensor error = linear.plus(change)(x) - exact;
  EXPECT_LT((error.norm() / exact.norm()).item<double>(), 0.02);
}

TEST(PackedInt8, WhatCouldLeave32BitsIsRefused) {
  try {
    PackedLinear::int8(at::zeros({1, Int8Kernels::kDeepest + 1}), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("--dtype float32"));
  }
}

}  // namespace
}  // namespace adamerge
