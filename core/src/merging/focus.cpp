// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/focus.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace adamerge {
namespace {

constexpr double kLeastSpread = 1e-12;
constexpr double kProtected = 0.1;  // unimportance below 0.9
constexpr double kEpsilon = 1e-6;
constexpr double kLeastNorm = 1e-6;

/// Linear interpolation between the values around (count - 1) * share; `sorted` is not empty.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

/// `percent` of `keys`, whole numbers, those of the highest scores; lowest of equals first.
std::vector<std::int64_t> highest(std::vector<std::int64_t> keys, const std::vector<double>& scores,
                                  int percent) {
  const std::size_t count = keys.size() * static_cast<std::size_t>(percent) / 100;
  std::stable_sort(keys.begin(), keys.end(),
                   [&](std::int64_t a, std::int64_t b) { return scores[a] > scores[b]; });
  keys.resize(count);
  return keys;
}

}  // namespace

FuzzyPruning fuzzyPruning(const std::vector<std::vector<double>>& scores,
                          const std::vector<std::vector<std::int64_t>>& left, int percent,
                          bool fuzzy) {
  FuzzyPruning result;
  double limit = std::numeric_limits<double>::infinity();
  if (fuzzy) {
    std::vector<double> all;
    for (std::size_t head = 0; head < left.size(); ++head) {
      for (const std::int64_t key : left[head]) all.push_back(scores[head][key]);
    }
    std::sort(all.begin(), all.end());
    const double a = quantile(all, 0.25);
    const double b = quantile(all, 0.75);
    result.quartiles = {a, b};
    if (b - a < kLeastSpread) {
      result.stay = left;
      return result;
    }
    limit = a + kProtected * (b - a);
  }
  for (std::size_t head = 0; head < left.size(); ++head) {
    std::vector<std::int64_t> stay;
    std::vector<std::int64_t> others;
    for (const std::int64_t key : left[head]) {
      (scores[head][key] > limit ? stay : others).push_back(key);
    }
    const std::vector<std::int64_t> best = highest(others, scores[head], percent);
    stay.insert(stay.end(), best.begin(), best.end());
    if (stay.empty()) {
      stay.push_back(*std::max_element(
          others.begin(), others.end(),
          [&](std::int64_t a, std::int64_t b) { return scores[head][a] < scores[head][b]; }));
    }
    std::sort(stay.begin(), stay.end());
    result.stay.push_back(std::move(stay));
  }
  return result;
}

Combination combination(const at::Tensor& tokens, std::int64_t count, std::int64_t first) {
  const at::Tensor exact = tokens.to(at::kCPU, at::kDouble);
  const at::Tensor normalised = at::layer_norm(exact, {exact.size(1)}, {}, {}, kEpsilon);
  const at::Tensor units =
      normalised / normalised.norm(2, {1}, /*keepdim=*/true).clamp_min(kLeastNorm);
  const auto n = static_cast<std::size_t>(tokens.size(0));

  // Per token the most similar seed so far, of equals the one that was found first.
  std::vector<double> nearest(n, -std::numeric_limits<double>::infinity());
  std::vector<bool> is_seed(n, false);
  std::vector<std::vector<double>> similarities;
  std::vector<std::int64_t> found;
  for (std::int64_t seed = first; static_cast<std::int64_t>(found.size()) < count;) {
    is_seed[static_cast<std::size_t>(seed)] = true;
    found.push_back(seed);
    const at::Tensor cosines = units.mv(units[seed]).contiguous();
    const double* own = cosines.data_ptr<double>();
    similarities.emplace_back(own, own + n);
    for (std::size_t token = 0; token < n; ++token) {
      // A token that is not finite is like none.
      double& cosine = similarities.back()[token];
      if (std::isnan(cosine)) cosine = -std::numeric_limits<double>::infinity();
      nearest[token] = std::max(nearest[token], cosine);
    }
    std::size_t next = 0;
    for (std::size_t token = 0; token < n; ++token) {
      if (is_seed[token]) continue;
      if (is_seed[next] || nearest[token] < nearest[next]) next = token;
    }
    seed = static_cast<std::int64_t>(next);
  }

  std::vector<std::size_t> by_position(found.size());
  std::iota(by_position.begin(), by_position.end(), 0);
  std::sort(by_position.begin(), by_position.end(),
            [&](std::size_t a, std::size_t b) { return found[a] < found[b]; });
  Combination result;
  result.group.resize(n);
  result.similarity.resize(n, 1.0);
  for (const std::size_t k : by_position) result.seeds.push_back(found[k]);
  for (std::size_t token = 0; token < n; ++token) {
    if (is_seed[token]) {
      result.group[token] = static_cast<std::int64_t>(token);
      continue;
    }
    std::size_t best = by_position.front();
    for (const std::size_t k : by_position) {
      if (similarities[k][token] > similarities[best][token]) best = k;
    }
    result.group[token] = found[best];
    result.similarity[token] = similarities[best][token];
  }
  return result;
}

}  // namespace adamerge
