// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adamerge/error.h"
#include "adamerge/evaluate.h"

namespace adamerge {
namespace {

constexpr double kQuantile = 1.959963984540054;  ///< of the normal distribution, 97.5 %
constexpr double kSameFlops = 0.02;

}  // namespace

Interval wilsonInterval(int successes, int trials) {
  if (trials < 1 || successes < 0 || successes > trials) {
    throw Error(fmt::format("an interval needs 0 to n successes of n >= 1 trials, not {} of {}",
                            successes, trials));
  }
  const double n = trials;
  const double p = successes / n;
  const double z2 = kQuantile * kQuantile;
  const double centre = p + z2 / (2 * n);
  const double half = kQuantile * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  const double scale = 100 / (1 + z2 / n);
  // Rounding must not push an end beyond the value itself.
  const double value = 100.0 * successes / trials;
  return {successes == 0 ? 0.0 : std::clamp((centre - half) * scale, 0.0, value),
          successes == trials ? 100.0 : std::clamp((centre + half) * scale, value, 100.0)};
}

PairedComparison mcNemar(int only_first, int only_second) {
  PairedComparison comparison{only_first, only_second, 1.0};
  const int n = only_first + only_second;
  const int fewer = std::min(only_first, only_second);
  if (n == 0 || only_first == only_second) return comparison;
  // Sum of binomial(n, k) / 2^n for k = fewer ... 0, each term from the one before.
  double term = std::exp(std::lgamma(n + 1.0) - std::lgamma(fewer + 1.0) -
                         std::lgamma(n - fewer + 1.0) - n * std::log(2.0));
  double tail = 0;
  for (int k = fewer; k >= 0; --k) {
    tail += term;
    term *= static_cast<double>(k) / (n - k + 1);
  }
  comparison.p = std::min(1.0, 2 * tail);
  return comparison;
}

PairedComparison mcNemar(const EvaluatedPoint& first, const EvaluatedPoint& second) {
  int only_first = 0;
  int only_second = 0;
  for (std::size_t i = 0; i < std::min(first.right.size(), second.right.size()); ++i) {
    if (first.right[i] && !second.right[i]) ++only_first;
    if (!first.right[i] && second.right[i]) ++only_second;
  }
  return mcNemar(only_first, only_second);
}

std::optional<std::size_t> counterpart(const Evaluation& evaluation, std::size_t point) {
  const auto& points = evaluation.points;
  const auto first = std::find_if(points.begin(), points.end(), [](const EvaluatedPoint& other) {
    return other.accuracy.method != "none";
  });
  const EvaluatedPoint& own = points[point];
  if (first == points.end() || own.accuracy.method == "none" ||
      own.accuracy.method == first->accuracy.method) {
    return std::nullopt;
  }
  std::optional<std::size_t> nearest;
  double least = kSameFlops * own.accuracy.flops.paper;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].accuracy.method != first->accuracy.method || points[i].tier != own.tier) continue;
    if (own.tier) return i;
    const double distance = std::abs(points[i].accuracy.flops.paper - own.accuracy.flops.paper);
    if (distance > least) continue;
    least = distance;
    nearest = i;
  }
  return nearest;
}

}  // namespace adamerge
