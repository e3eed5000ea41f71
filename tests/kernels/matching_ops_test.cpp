// SPDX-License-Identifier: GPL-3.0-or-later
// What merging methods ask about tokens: our kernels against LibTorch's plain functions.
#include "kernels/matching_ops.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

namespace adamerge {
namespace {

double largestDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

std::vector<Isa> isas() {
  std::vector<Isa> found;
  for (const Isa isa : {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512}) {
    if (isa <= bestIsa()) found.push_back(isa);
  }
  return found;
}

class MatchingOps : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { at::manual_seed(11); }
};
std::string nameOfIsa(const testing::TestParamInfo<Isa>& info) { return isaName(info.param); }
INSTANTIATE_TEST_SUITE_P(Isas, MatchingOps, testing::ValuesIn(isas()), nameOfIsa);

TEST_P(MatchingOps, DotProductsEqualThePlainOnes) {
  for (const auto& [m, n, d] : std::vector<std::array<int, 3>>{
           {1, 1, 1}, {2, 3, 5}, {7, 33, 16}, {98, 99, 64}, {31, 65, 33}}) {
    const at::Tensor a = at::randn({m, d});
    const at::Tensor b = at::randn({n, d});
    const at::Tensor exact = plainDotProducts(a, b, at::kDouble);
    EXPECT_LT(largestDifference(dotProducts(a, b, at::kDouble, GetParam()), exact), 1e-13);
    EXPECT_LT(largestDifference(dotProducts(a, b, at::kFloat, GetParam()), exact), 2e-5);
    const at::Tensor wide_a = a.to(at::kDouble) / 3;
    const at::Tensor wide_b = b.to(at::kDouble) / 7;
    EXPECT_LT(largestDifference(dotProducts(wide_a, wide_b, at::kDouble, GetParam()), exact / 21),
              1e-13);
    // Every second row of a larger matrix, as ToMe takes them.
    const at::Tensor both = at::randn({2 * m, d});
    EXPECT_LT(largestDifference(dotProducts(both.slice(0, 0, 2 * m, 2), b, at::kDouble, GetParam()),
                                plainDotProducts(both.slice(0, 0, 2 * m, 2), b, at::kDouble)),
              1e-13);
  }
}

TEST_P(MatchingOps, GramMatrixIsSymmetricAndTheSameOnAnyNumberOfThreads) {
  const int before = at::get_num_threads();
  for (int n = 1; n <= 200; n += n < 100 ? 1 : 8) {
    const at::Tensor x = at::randn({n, 48});
    for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
      at::set_num_threads(1);
      const at::Tensor gram = gramMatrix(x, type, GetParam());
      EXPECT_EQ(gram.scalar_type(), type);
      EXPECT_TRUE(at::equal(gram, gram.t())) << n;
      if (type == at::kDouble || GetParam() != Isa::kAmx) {
        EXPECT_TRUE(at::equal(gram, dotProducts(x, x, type, GetParam()))) << n;
      }
      EXPECT_LT(largestDifference(gram, plainDotProducts(x, x, at::kDouble)),
                type == at::kDouble ? 1e-12 : 1e-4);
      at::set_num_threads(3);
      EXPECT_TRUE(at::equal(gramMatrix(x, type, GetParam()), gram)) << n;
    }
  }
  at::set_num_threads(before);
}

TEST(LengthsAndScaling, EqualThePlainOnes) {
  at::manual_seed(13);
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    for (const int n : {1, 2, 17, 196}) {
      const at::Tensor x = at::randn({n, 5}).to(type);
      at::Tensor gram = x.mm(x.t());
      gram[0][0] = -1e-9;
      // LibTorch's square root and reciprocal may each round otherwise from version to version.
      const double rounding = type == at::kDouble ? 1e-14 : 1e-6;
      EXPECT_TRUE(at::allclose(inverseLengths(gram, 1e-6), plainInverseLengths(gram, 1e-6),
                               rounding, /*atol=*/0))
          << n;
      const at::Tensor values = gram.sum(0);
      EXPECT_TRUE(at::allclose(minMaxScaled(values, 1e-6), plainMinMaxScaled(values, 1e-6),
                               rounding, /*atol=*/0))
          << n;
    }
  }
}

TEST(LengthsAndScaling, DirectionsAreThoseOfAnyTypeAndView) {
  for (const int width : {1, 7, 8, 64}) {
    at::Tensor all = at::randn({700, 3 * width}, at::kDouble);
    all[3].zero_();
    for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
      for (const at::Tensor& x : {all, all.to(at::kFloat), all.narrow(1, width, width), all.t()}) {
        const at::Tensor found = directions(x, 1e-6, type);
        EXPECT_EQ(found.scalar_type(), type);
        EXPECT_TRUE(at::allclose(found, plainDirections(x, 1e-6, type),
                                 type == at::kDouble ? 1e-13 : 1e-6, 0))
            << width;
      }
    }
  }
}

TEST(LengthsAndScaling, SquaredNormsAreThoseOfAnyTypeAndView) {
  for (const int width : {1, 7, 8, 9, 192}) {
    const at::Tensor all = at::randn({300, 3 * width});
    for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kBFloat16, at::kHalf}) {
      for (const at::Tensor& x : {all.narrow(1, width, width), all.slice(1, 0, 3 * width, 3)}) {
        const at::Tensor wanted = x.to(type).to(at::kDouble).square().sum(1);
        const at::Tensor norms = squaredNorms(x.to(type));
        EXPECT_TRUE(at::allclose(norms, wanted, 1e-14, 0)) << width << " x " << toString(type);
      }
    }
  }
  EXPECT_EQ(squaredNorms(at::empty({0, 3})).numel(), 0);
}

TEST(Picked, AreThoseRowsAndColumnsOfAnyView) {
  const at::Tensor all = at::randn({400, 300});
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kHalf}) {
    for (const at::Tensor& matrix :
         {all.to(type), all.to(type).t(), all.to(type).narrow(1, 7, 290)}) {
      const at::Tensor rows = at::randperm(matrix.size(0), at::kLong).slice(0, 0, 290, 2);
      const at::Tensor columns = at::randperm(matrix.size(1), at::kLong).slice(0, 1, 290, 2);
      EXPECT_TRUE(at::equal(picked(matrix, rows, columns), plainPicked(matrix, rows, columns)));
    }
  }
}

TEST(TileGram, IsSymmetricNearlyExactAndTheSameForAnyRowsAndThreads) {
  if (bestIsa() < Isa::kAmx) GTEST_SKIP() << "this machine has no AMX";
  at::manual_seed(12);
  const int before = at::get_num_threads();
  for (const int depth : {1, 33, 48, 192, 768}) {
    const at::Tensor all = at::randn({197, depth}) * at::rand({197, 1}) * 30;
    for (const int n : {1, 2, 16, 31, 32, 33, 64, 65, 100, 196, 197}) {
      SCOPED_TRACE(std::to_string(n) + " x " + std::to_string(depth));
      const at::Tensor x = all.narrow(0, 0, n);
      at::set_num_threads(1);
      const at::Tensor gram = gramMatrix(x, at::kFloat, Isa::kAmx);
      EXPECT_TRUE(at::equal(gram, gram.t()));
      const at::Tensor lengths = x.to(at::kDouble).norm(2, {1});
      const at::Tensor error = gram.to(at::kDouble) - plainDotProducts(x, x, at::kDouble);
      EXPECT_LT((error.abs() / lengths.unsqueeze(0) / lengths.unsqueeze(1)).max().item<double>(),
                3.0 / (1 << 16));
      at::set_num_threads(3);
      EXPECT_TRUE(at::equal(gramMatrix(x, at::kFloat, Isa::kAmx), gram));
      const int fewer = (n + 1) / 2;
      EXPECT_TRUE(at::equal(gramMatrix(x.narrow(0, 0, fewer), at::kFloat, Isa::kAmx),
                            gram.narrow(0, 0, fewer).narrow(1, 0, fewer)));
    }
  }
  at::set_num_threads(before);
}

TEST_P(MatchingOps, SoftmaxColumnSumsEqualThePlainOnes) {
  for (const int n : {1, 2, 3, 15, 16, 17, 50, 196}) {
    for (const double spread : {0.1, 1.0, 300.0}) {
      const at::Tensor gram = at::randn({n, n}, at::kDouble) * spread;
      for (const double scale : {1.0, 0.125}) {
        const at::Tensor exact = plainSoftmaxColumnSums(gram, scale);
        const at::Tensor sums = softmaxColumnSums(gram, scale, GetParam());
        EXPECT_LT(largestDifference(sums, exact), 1e-12);
        const int before = at::get_num_threads();
        at::set_num_threads(3);
        EXPECT_TRUE(at::equal(softmaxColumnSums(gram, scale, GetParam()), sums));
        at::set_num_threads(before);
        EXPECT_LT(
            largestDifference(softmaxColumnSums(gram.to(at::kFloat), scale, GetParam()),
                              plainSoftmaxColumnSums(gram.to(at::kFloat).to(at::kDouble), scale)),
            n * 1e-5);
      }
    }
  }
}

TEST_P(MatchingOps, EluRowMeansEqualThePlainOnes) {
  for (const int n : {1, 2, 3, 15, 16, 17, 50, 196}) {
    const at::Tensor values = at::rand({n, n}, at::kDouble) * 2 - 1;
    for (const double margin : {0.75, 0.0}) {
      const at::Tensor exact = plainEluRowMeans(values, margin);
      const at::Tensor means = eluRowMeans(values, margin, GetParam());
      EXPECT_LT(largestDifference(means, exact), 1e-14);
      EXPECT_LT(largestDifference(eluRowMeans(values.to(at::kFloat), margin, GetParam()), exact),
                1e-6);
      at::Tensor broken = values.clone();
      broken[n / 2][n - 1] = std::numeric_limits<double>::quiet_NaN();
      EXPECT_TRUE(at::equal(eluRowMeans(broken, margin, GetParam()).isnan().nonzero(),
                            at::full({1, 1}, n / 2, at::kLong)));
      const int before = at::get_num_threads();
      at::set_num_threads(3);
      EXPECT_TRUE(at::equal(eluRowMeans(values, margin, GetParam()), means));
      at::set_num_threads(before);
    }
  }
}

TEST_P(MatchingOps, BestProductsEqualThePlainOnesInBothPartitions) {
  for (const int n : {2, 3, 17, 64, 131}) {
    const at::Tensor exact = at::randn({n, n}, at::kDouble);
    for (const int step : {1, 2}) {
      const int first = step == 1 ? n / 2 : 1;
      const auto between = [&](const at::Tensor& matrix) {
        return matrix.slice(0, 0, step == 1 ? first : n, step).slice(1, first, n, step);
      };
      const at::Tensor rows = at::rand({between(exact).size(0)}, at::kDouble);
      const at::Tensor columns = at::rand({between(exact).size(1)}, at::kDouble);
      rows[0] = 0;  // all products equal: the lowest destination
      for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
        const at::Tensor matrix = exact.to(type);  // which the scores are a view of
        const at::Tensor typed = between(matrix);
        const BestMatches plain = plainBestProducts(typed, rows.to(type), columns.to(type));
        const BestMatches best = bestProducts(typed, rows.to(type), columns.to(type), GetParam());
        EXPECT_EQ(best.index, plain.index) << n << " by " << step;
        EXPECT_EQ(best.index[0], 0);
        ASSERT_EQ(best.score.size(), plain.score.size());
        for (std::size_t i = 0; i < best.score.size(); ++i) {
          EXPECT_NEAR(best.score[i], plain.score[i], 1e-6);
        }
      }
    }
  }
}

TEST_P(MatchingOps, ExcludedPairsAreNeverBest) {
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  const at::Tensor scores = at::tensor({kNever, -3.0, kNever, kNever}, at::kDouble).reshape({2, 2});
  const at::Tensor ones = at::ones({2}, at::kDouble);
  const BestMatches best = bestProducts(scores, ones, ones, GetParam());
  EXPECT_EQ(best.index, (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(best.score[0], -3.0F);
  EXPECT_EQ(best.score[1], -std::numeric_limits<float>::infinity());
}

TEST_P(MatchingOps, OfEqualScoresTheLowestIsBestInAnyView) {
  for (const int n : {1, 2, 15, 16, 17, 31, 32, 33, 34, 98}) {
    for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
      // Of few values, so that most rows have several of the largest.
      const at::Tensor all = at::randint(-1, 2, {3 * n, 3 * n}).to(type);
      for (const int step : {0, 1, 2, 3}) {
        const at::Tensor scores = step == 0 ? all.slice(0, 0, n).slice(1, 0, 1).expand({n, n})
                                            : all.slice(0, 0, n).slice(1, 0, step * n, step);
        const at::Tensor ones = at::ones({n}, scores.options());
        const BestMatches best = bestProducts(scores, ones, ones, GetParam());
        const BestMatches whole = bestMatches(scores, GetParam());
        for (int i = 0; i < n; ++i) {
          const double top = scores[i].max().item<double>();
          int lowest = 0;
          while (scores[i][lowest].item<double>() != top) ++lowest;
          EXPECT_EQ(best.index[i], lowest) << n << ", every " << step;
          EXPECT_EQ(best.score[i], top);
        }
        EXPECT_EQ(whole.index, best.index);
        EXPECT_EQ(whole.score, best.score);
      }
    }
  }
}

TEST_P(MatchingOps, ARowWithNaNHasNoBestButKeepsItsIndexAndOtherRowsAreUntouched) {
  for (const int n : {1, 3, 4, 8, 9, 16, 17, 40}) {
    const at::Tensor ones = at::ones({n}, at::kDouble);
    for (int place = 0; place < n; ++place) {
      at::Tensor matrix = at::randn({n, n}, at::kDouble);
      const int row = n / 2;
      matrix[row][place] = std::numeric_limits<double>::quiet_NaN();
      for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
        const at::Tensor typed = matrix.to(type);
        const at::Tensor factors = ones.to(type);
        const BestMatches plain = plainBestProducts(typed, factors, factors);
        const BestMatches best = bestProducts(typed, factors, factors, GetParam());
        EXPECT_EQ(best.index, plain.index) << n << ", NaN at " << place;
        EXPECT_EQ(best.score, plain.score);
        EXPECT_EQ(best.index[row], place);
        EXPECT_EQ(best.score[row], -std::numeric_limits<float>::infinity());
        EXPECT_TRUE(softmaxColumnSums(typed, 1.0, GetParam()).isnan().all().item<bool>());
      }
    }
  }
}

TEST_P(MatchingOps, HeadMeansEqualThePlainOnes) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    // So many rows that several threads take some.
    const at::Tensor keys = at::randn({1029, 3, 5, 12}).to(type).select(1, 1);
    EXPECT_LT(largestDifference(headMeans(keys, GetParam()), plainHeadMeans(keys)), 1e-14) << type;
  }
}

TEST(WardGrowth, EqualsThePlainOne) {
  at::manual_seed(13);
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const auto random = [&](at::IntArrayRef shape) { return at::rand(shape).to(type); };
    const WardSide rows{random({33}), random({33}) * 5 + 1};
    const WardSide columns{random({62}).slice(0, 0, 62, 2), random({31}) * 5 + 1};
    const at::Tensor products = random({66, 62}).slice(0, 0, 66, 2).slice(1, 1, 62, 2);
    EXPECT_TRUE(
        at::equal(wardGrowth(products, rows, columns), plainWardGrowth(products, rows, columns)));
  }
}

TEST(InverseNorms, EqualThePlainOnesAndSurviveZeros) {
  at::manual_seed(12);
  for (const int width : {1, 7, 8, 64, 67}) {
    const at::Tensor x = at::randn({9, width}, at::kDouble);
    x[4].zero_();
    for (const at::ScalarType rows : {at::kFloat, at::kDouble}) {
      const at::Tensor plain = plainInverseNorms(x.to(rows), 1e-12, at::kDouble);
      EXPECT_TRUE(at::allclose(inverseNorms(x.to(rows), 1e-12, at::kDouble), plain, 1e-13, 0));
      EXPECT_TRUE(at::equal(inverseNorms(x.to(rows), 1e-12, at::kFloat),
                            inverseNorms(x.to(rows), 1e-12, at::kDouble).to(at::kFloat)));
    }
  }
}

}  // namespace
}  // namespace adamerge
