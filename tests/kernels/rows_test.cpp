// SPDX-License-Identifier: GPL-3.0-or-later
// What is done to each row by itself, norms, gated products and rotations, against loops in fp64.
#include "kernels/rows.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <functional>

#include "kernel_kinds.h"

namespace adamerge {
namespace {

class Rows : public Kernels {
 protected:
  /// f(x) must give each row the same bits alone, among others, and on any number of threads.
  void expectRowsAlone(const at::Tensor& x, const std::function<at::Tensor(const at::Tensor&)>& f) {
    const int before = at::get_num_threads();
    at::set_num_threads(1);
    const at::Tensor whole = f(x);
    for (const int threads : {1, 3}) {
      at::set_num_threads(threads);
      EXPECT_TRUE(at::equal(f(x), whole)) << threads;
      for (const std::int64_t row : {std::int64_t{0}, x.size(0) / 2, x.size(0) - 1}) {
        EXPECT_TRUE(at::equal(f(x.narrow(0, row, 1)), whole.narrow(0, row, 1))) << row;
      }
    }
    at::set_num_threads(before);
  }
};
INSTANTIATE_TEST_SUITE_P(Isas, Rows, testing::ValuesIn(kinds()), nameOf);

TEST_P(Rows, LayerNormEqualsThePlainOne) {
  for (const int columns : {1, 3, 16, 31, 33, 64, 100, 192, 768}) {
    for (const bool with_bias : {true, false}) {
      const LayerNorm norm{at::randn({columns}), with_bias ? at::randn({columns}) : at::Tensor(),
                           1e-6};
      const LayerNorm exact_norm{norm.weight.to(at::kDouble),
                                 with_bias ? norm.bias.to(at::kDouble) : norm.bias, 1e-6};
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
}

TEST_P(Rows, RmsNormEqualsLoops) {
  constexpr double kEpsilon = 1e-5;
  for (const int columns : {1, 3, 8, 12, 18, 31, 64, 100, 768}) {
    const LayerNorm norm{at::randn({columns}), at::Tensor(), kEpsilon, /*rms=*/true};
    const LayerNorm exact_norm{norm.weight.to(at::kDouble), at::Tensor(), kEpsilon, true};
    for (const int rows : {1, 2, 33}) {
      const at::Tensor x = at::randn({rows, columns}) * 3 + 1;
      const at::Tensor exact = at::empty({rows, columns}, at::kDouble);
      for (int i = 0; i < rows; ++i) {
        double square = 0;
        for (int j = 0; j < columns; ++j) square += std::pow(x[i][j].item<double>(), 2);
        const double scale = 1 / std::sqrt(square / columns + kEpsilon);
        for (int j = 0; j < columns; ++j) {
          exact[i][j] = x[i][j].item<double>() * scale * norm.weight[j].item<double>();
        }
      }
      const at::Tensor result = layerNorm(x, norm, dtype(), isa());
      EXPECT_EQ(result.scalar_type(), dtype());
      EXPECT_LT(largestDifference(result, exact), tolerance(exact)) << rows << " x " << columns;
      EXPECT_LT(
          largestDifference(plainLayerNorm(x.to(at::kDouble), exact_norm, at::kDouble), exact),
          1e-12);
      EXPECT_LT(largestDifference(plainLayerNorm(x, norm, at::kFloat), exact), 1e-5);
    }
  }
  const LayerNorm norm{at::randn({770}), at::Tensor(), kEpsilon, true};
  expectRowsAlone(at::randn({90, 770}),
                  [&](const at::Tensor& x) { return layerNorm(x, norm, dtype(), isa()); });
}

/// By their definitions.
double activated(double x, Activation activation) {
  const auto sigmoid = [](double y) { return 1 / (1 + std::exp(-y)); };
  switch (activation) {
    case Activation::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kQuickGelu:
      return x * sigmoid(1.702 * x);
    case Activation::kSilu:
      return x * sigmoid(x);
    case Activation::kRelu:
      break;
  }
  return std::max(x, 0.0);
}

TEST_P(Rows, GatedProductsEqualLoopsInEveryOrder) {
  for (const Activation activation : kActivations) {
    for (const int width : {1, 7, 8, 12, 18, 40, 131}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(activation)) + ", width " +
                   std::to_string(width));
      const at::Tensor x = (at::randn({5, 2 * width}) * 4).to(dtype());
      const at::Tensor first = x.narrow(1, 0, width);
      const at::Tensor second = x.narrow(1, width, width);
      for (const bool gate_first : {true, false}) {
        const at::Tensor gate = gate_first ? first : second;
        const at::Tensor up = gate_first ? second : first;
        const at::Tensor exact = at::empty({5, width}, at::kDouble);
        for (int i = 0; i < 5; ++i) {
          for (int j = 0; j < width; ++j) {
            exact[i][j] =
                activated(gate[i][j].item<double>(), activation) * up[i][j].item<double>();
          }
        }
        const at::Tensor result = gated(x, activation, gate_first, std::nullopt, isa());
        EXPECT_EQ(result.scalar_type(), dtype());
        EXPECT_LT(largestDifference(result, exact), tolerance(exact));
        EXPECT_TRUE(at::equal(
            gated(gate.contiguous(), up.contiguous(), activation, std::nullopt, isa()), result));
        EXPECT_LT(largestDifference(gated(gate, up, activation, at::kFloat, isa()), exact),
                  2e-6 * std::max(1.0, exact.abs().max().item<double>()));
        const at::Tensor rounded = gated(gate, up, activation, at::kBFloat16, isa());
        EXPECT_EQ(rounded.scalar_type(), at::kBFloat16);
        EXPECT_LT(largestDifference(rounded, exact),
                  std::max(1.0, exact.abs().max().item<double>()) / 256);
        EXPECT_LT(largestDifference(
                      plainGated(gate.to(at::kDouble), up.to(at::kDouble), activation), exact),
                  1e-12 * std::max(1.0, exact.abs().max().item<double>()));
      }
    }
  }
  expectRowsAlone(random({300, 2 * 131}), [&](const at::Tensor& x) {
    return gated(x, Activation::kSilu, true, std::nullopt, isa());
  });
}

TEST(GatedProducts, OfOtherTypesArePlain) {
  const at::Tensor x = at::randn({3, 8}, at::kDouble);
  EXPECT_TRUE(at::equal(gated(x, Activation::kSilu, true),
                        at::silu(x.narrow(1, 0, 4)) * x.narrow(1, 4, 4)));
}

/// The formulas of `rotate()`.
at::Tensor rotatedByLoops(const at::Tensor& heads, const at::Tensor& c, const at::Tensor& s,
                          bool halves) {
  const at::Tensor u = heads.to(at::kDouble);
  const at::Tensor result = at::empty_like(u);
  const std::int64_t g = u.size(2) / 2;
  for (std::int64_t t = 0; t < u.size(0); ++t) {
    for (std::int64_t h = 0; h < u.size(1); ++h) {
      for (std::int64_t k = 0; k < g; ++k) {
        const std::int64_t i = halves ? k : 2 * k;
        const std::int64_t j = halves ? k + g : 2 * k + 1;
        const double cosine = c[t][c.size(1) == 1 ? 0 : h][k].item<double>();
        const double sine = s[t][s.size(1) == 1 ? 0 : h][k].item<double>();
        const double a = u[t][h][i].item<double>();
        const double b = u[t][h][j].item<double>();
        result[t][h][i] = a * cosine - b * sine;
        result[t][h][j] = b * cosine + a * sine;
      }
    }
  }
  return result;
}

TEST_P(Rows, RotationsEqualLoopsAndLeaveTheRestOfTheRowsAlone) {
  constexpr int kTokens = 5;
  constexpr int kHeads = 2;
  for (const int width : {2, 4, 8, 12, 18, 32, 64, 72, 80}) {
    for (const int angle_heads : {1, kHeads}) {
      const at::Tensor angles = at::randn({kTokens, angle_heads, width / 2}) * 5;
      const at::Tensor c = angles.cos();
      const at::Tensor s = angles.sin();
      for (const bool halves : {true, false}) {
        SCOPED_TRACE(std::to_string(width) + (halves ? ", halves" : ", pairs"));
        for (const at::ScalarType type : {dtype(), at::kDouble, at::kHalf, at::kBFloat16}) {
          const at::Tensor qkv = at::randn({kTokens, 3, kHeads, width}).to(type);
          const at::Tensor before = qkv.clone();
          at::Tensor keys = qkv.select(1, 1);
          rotate(keys, c, s, halves, isa());
          const at::Tensor exact = rotatedByLoops(before.select(1, 1), c, s, halves);
          const double digits =
              type == at::kDouble ? 1e-12 : (type == at::kFloat ? 1e-6 : (1.0 / 128));
          EXPECT_LT(largestDifference(keys, exact), digits * 2) << type;
          for (const int part : {0, 2}) {
            EXPECT_TRUE(at::equal(qkv.select(1, part), before.select(1, part))) << part;
          }
        }
      }
    }
  }
}

TEST_P(Rows, ARotationIsTheSameAlone) {
  const at::Tensor angles = at::randn({200, 1, 36});
  for (const bool halves : {true, false}) {
    // The angles ride along as the last 36 columns of each row.
    const at::Tensor rows =
        at::cat({at::randn({200, 2, 72}).flatten(1), angles.squeeze(1)}, 1).contiguous();
    expectRowsAlone(rows, [&](const at::Tensor& x) {
      const at::Tensor heads = x.narrow(1, 0, 144).reshape({-1, 2, 72}).to(dtype(), false, true);
      const at::Tensor own = x.narrow(1, 144, 36).unsqueeze(1);
      rotate(heads, own.cos(), own.sin(), halves, isa());
      return heads;
    });
  }
}

TEST_P(Rows, ARotationBackUndoesIt) {
  const at::Tensor angles = at::randn({7, 3, 20});
  for (const bool halves : {true, false}) {
    const at::Tensor heads = at::randn({7, 3, 40});
    const at::Tensor before = heads.clone();
    rotate(heads, angles.cos(), angles.sin(), halves, isa());
    EXPECT_GT(largestDifference(heads, before), 0.1);
    EXPECT_LT((heads.norm(2, {2}) - before.norm(2, {2})).abs().max().item<double>(), 1e-5);
    rotate(heads, angles.cos(), -angles.sin(), halves, isa());
    EXPECT_LT(largestDifference(heads, before), 2e-6);
  }
}

}  // namespace
}  // namespace adamerge
