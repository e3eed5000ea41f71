// SPDX-License-Identifier: GPL-3.0-or-later
// Intervals and paired tests against values worked out by hand or by other programs.
#include <gtest/gtest.h>

#include <cmath>

#include "adamerge/evaluate.h"
#include "error_message.h"
#include "measure/tally.h"

namespace adamerge {
namespace {

TEST(WilsonInterval, EqualsTheFormulaByHand) {
  // z = 1.959964, z^2 = 3.841459; (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n).
  const Interval eight_of_ten = wilsonInterval(8, 10);
  EXPECT_NEAR(eight_of_ten.low, 49.01625, 1e-4);
  EXPECT_NEAR(eight_of_ten.high, 94.33178, 1e-4);
  const Interval of_cifar = wilsonInterval(7980, 10000);
  EXPECT_NEAR(of_cifar.low, 79.0017145, 1e-6);
  EXPECT_NEAR(of_cifar.high, 80.5753992, 1e-6);
}

TEST(WilsonInterval, StaysWithinPercentAndHoldsItsValue) {
  EXPECT_EQ(wilsonInterval(0, 5).low, 0);
  // z^2 / (n + z^2), and its mirror image.
  EXPECT_NEAR(wilsonInterval(0, 5).high, 100 * 3.841459 / 8.841459, 1e-4);
  EXPECT_EQ(wilsonInterval(5, 5).high, 100);
  EXPECT_NEAR(wilsonInterval(5, 5).low, 100 * 5 / 8.841459, 1e-4);
  for (int n = 1; n < 200; ++n) {
    for (int k = 0; k <= n; ++k) {
      const Interval interval = wilsonInterval(k, n);
      ASSERT_GE(interval.low, 0);
      ASSERT_LE(interval.low, 100.0 * k / n);
      ASSERT_GE(interval.high, 100.0 * k / n);
      ASSERT_LE(interval.high, 100);
    }
  }
  test::errorMessage([] { wilsonInterval(0, 0); });
  test::errorMessage([] { wilsonInterval(3, 2); });
}

TEST(McNemar, EqualsTheBinomialSumByHand) {
  EXPECT_EQ(mcNemar(0, 0).p, 1);
  EXPECT_EQ(mcNemar(4, 4).p, 1);
  EXPECT_NEAR(mcNemar(0, 1).p, 1, 1e-12);
  EXPECT_NEAR(mcNemar(0, 6).p, 2.0 / 64, 1e-12);
  // 2 (1 + 10 + 45) / 2^10
  EXPECT_NEAR(mcNemar(2, 8).p, 112.0 / 1024, 1e-12);
  EXPECT_NEAR(mcNemar(8, 2).p, mcNemar(2, 8).p, 1e-15);
  EXPECT_EQ(mcNemar(8, 2).only_first, 8);
  EXPECT_EQ(mcNemar(8, 2).only_second, 2);
}

TEST(McNemar, HoldsForManyImages) {
  // The normal approximation with continuity correction is close there.
  const double z = (std::abs(1100.0 - 1000.0) - 1) / std::sqrt(2100.0);
  EXPECT_NEAR(mcNemar(1000, 1100).p, std::erfc(z / std::sqrt(2.0)), 2e-4);
  EXPECT_LT(mcNemar(0, 5000).p, 1e-300);
  EXPECT_GE(mcNemar(0, 5000).p, 0);
}

TEST(McNemar, CountsImagesThatOnlyOneGotRight) {
  EvaluatedPoint first;
  EvaluatedPoint second;
  first.right = {true, true, false, false, true, true};
  second.right = {true, false, true, false, false, false};
  const PairedComparison paired = mcNemar(first, second);
  EXPECT_EQ(paired.only_first, 3);
  EXPECT_EQ(paired.only_second, 1);
  EXPECT_NEAR(paired.p, 2 * (1.0 + 4.0) / 16, 1e-12);
}

EvaluatedPoint pointOf(const std::string& method, double flops, std::optional<double> tier = {}) {
  EvaluatedPoint point;
  point.accuracy.method = method;
  point.accuracy.flops.paper = flops;
  point.tier = tier;
  return point;
}

TEST(Counterpart, IsTheFirstMethodsAtTheSameFlops) {
  Evaluation evaluation;
  evaluation.points = {pointOf("none", 1.2),  pointOf("adamerge", 1.0), pointOf("adamerge", 0.8),
                       pointOf("tome", 0.79), pointOf("tome", 0.9),     pointOf("pitome", 0.99)};
  EXPECT_EQ(counterpart(evaluation, 0), std::nullopt);
  EXPECT_EQ(counterpart(evaluation, 1), std::nullopt);
  EXPECT_EQ(counterpart(evaluation, 3), 2U);
  EXPECT_EQ(counterpart(evaluation, 4), std::nullopt) << "0.9 G is far from 1 and from 0.8";
  EXPECT_EQ(counterpart(evaluation, 5), 1U);
}

TEST(Counterpart, IsOfTheSameTierWhereThereAreTiers) {
  Evaluation evaluation;
  evaluation.points = {pointOf("none", 1.2), pointOf("adamerge", 1.01, 1.0),
                       pointOf("tome", 0.95, 1.0), pointOf("adamerge", 0.8, 0.8),
                       pointOf("tome", 0.82, 0.8)};
  EXPECT_EQ(counterpart(evaluation, 2), 1U);
  EXPECT_EQ(counterpart(evaluation, 4), 3U);
}

TEST(ExactMoments, AreExactInAnyOrderAndThroughJson) {
  ExactMoments forward;
  ExactMoments backward;
  const std::vector<std::int64_t> values = {1'224'589'824, 3, -7, 1'000'000'000'000, 0};
  for (auto value = values.begin(); value != values.end(); ++value) forward.add(*value);
  for (auto value = values.rbegin(); value != values.rend(); ++value) backward.add(*value);
  EXPECT_EQ(forward.toJson(), backward.toJson());
  const auto again = ExactMoments::fromJson(nlohmann::json::parse(forward.toJson().dump()));
  EXPECT_EQ(again.toJson(), forward.toJson());
  EXPECT_EQ(again.mean(), forward.mean());
  EXPECT_EQ(again.deviation(), forward.deviation());

  ExactMoments small;
  for (const int value : {2, 4, 4, 4, 5, 5, 7, 9}) small.add(value);
  EXPECT_EQ(small.mean(), 5);
  EXPECT_EQ(small.deviation(), 2);
  ExactMoments same;
  for (int i = 0; i < 1000; ++i) same.add(1'224'589'824);
  EXPECT_EQ(same.deviation(), 0);
}

}  // namespace
}  // namespace adamerge
