// SPDX-License-Identifier: GPL-3.0-or-later
// What AdaMerge+ adds to AdaMerge, against its definitions in plain loops (models/README.md).
#include <gtest/gtest.h>

#include "plan_arithmetic.h"

namespace adamerge {
namespace {

using namespace test;

std::vector<float> randomSizes(int patches, int prefix) {
  std::vector<float> sizes(static_cast<std::size_t>(prefix + patches), 1.0F);
  for (int i = 0; i < patches; ++i) sizes[static_cast<std::size_t>(prefix + i)] += (i * 7) % 4;
  return sizes;
}

std::vector<PlannedMerge> sorted(std::vector<PlannedMerge> merges) {
  std::sort(merges.begin(), merges.end(),
            [](const auto& a, const auto& b) { return a.source < b.source; });
  return merges;
}

TEST(AdaMergePlusPlan, MergesWhereTheVarianceWithinGroupsGrowsLeast) {
  for (const int patches : {9, 64}) {
    constexpr int kPrefix = 1;
    constexpr std::int64_t kCount = 4;
    const at::Tensor tokens = randomTokens(patches + kPrefix, 6, patches);
    const std::vector<float> sizes = randomSizes(patches, kPrefix);
    const MergePlan plan = planOf("adamerge+", {{"r", kCount}, {"schedule", std::string("decay")}},
                                  squareModel(8, kPrefix, 2), layerOf(tokens, kPrefix, 0, sizes));

    Rows units = rowsOf(tokens, kPrefix);
    for (auto& row : units) {
      const double length = std::sqrt(dot(row, row));
      for (double& value : row) value /= length;
    }
    struct Edge {
      double growth;
      int source;
      int destination;
    };
    std::vector<Edge> edges;
    for (int i = 0; i < patches; i += 2) {
      Edge best{std::numeric_limits<double>::infinity(), i, -1};
      for (int j = 1; j < patches; j += 2) {
        const double a = sizes[static_cast<std::size_t>(kPrefix + i)];
        const double b = sizes[static_cast<std::size_t>(kPrefix + j)];
        // The sum of squares about the mean of the joined group, less those of its parts, which
        // lie on their own means.
        double growth = 0;
        for (std::size_t k = 0; k < units[i].size(); ++k) {
          const double mean = (a * units[i][k] + b * units[j][k]) / (a + b);
          growth += a * std::pow(units[i][k] - mean, 2) + b * std::pow(units[j][k] - mean, 2);
        }
        if (growth < best.growth) best = {growth, i, j};
      }
      edges.push_back(best);
    }
    std::stable_sort(edges.begin(), edges.end(),
                     [](const Edge& x, const Edge& y) { return x.growth < y.growth; });
    ASSERT_EQ(plan.merges.size(), static_cast<std::size_t>(kCount));
    for (std::size_t k = 0; k < plan.merges.size(); ++k) {
      EXPECT_EQ(plan.merges[k].source, kPrefix + edges[k].source);
      EXPECT_EQ(plan.merges[k].destination, kPrefix + edges[k].destination);
      EXPECT_NEAR(plan.merges[k].similarity, -edges[k].growth, 1e-6);
    }
    EXPECT_EQ(plan.weights, sizes);
  }
}

TEST(AdaMergePlusPlan, CountsFallWithDepthAndLoseNoRemainder) {
  const auto counts = [](double decay, std::int64_t r) {
    return countsPerBlock("adamerge+",
                          {{"schedule", std::string("decay")}, {"decay", decay}, {"r", r}});
  };
  // Differences of the rounded partial sums of 24 (1 - l / 12)^2: 24, 44.17, 60.83, 74.33, ...
  EXPECT_EQ(counts(2.0, 24), (std::vector<int>{24, 20, 17, 13, 11, 8, 6, 4, 3, 2, 0, 0}));
  EXPECT_EQ(counts(0.0, 5), std::vector<int>(12, 5));
  // Of 4 / (1 - l / 12)^0.5: 4, 8.18, 12.56, 17.18, ...
  EXPECT_EQ(counts(-0.5, 4), (std::vector<int>{4, 4, 5, 4, 5, 5, 6, 6, 7, 8, 10, 14}));
}

TEST(AdaMergePlusPlan, TheBudgetSaysWhetherCountsRiseOrFall) {
  for (const std::int64_t r : {2, 5, 8, 11, 14, 17}) {
    SCOPED_TRACE(r);
    const std::vector<int> counts = countsPerBlock("adamerge+", {{"r", r}});
    ASSERT_EQ(counts.size(), 12U);
    // As many tokens are left on entry, in the mean of the blocks, as with r in each: what block l
    // merges counts 11 - l times, and r in each 66 r times.
    int known = 0;
    for (int block = 0; block < 12; ++block) known += counts[block] * (11 - block);
    EXPECT_NEAR(known, 66.0 * static_cast<double>(r), 6.0);
    // Of 196 patches the mean block has lost r 5.5 / 196; up to 0.46 of them counts rise.
    if (r <= 11) {
      EXPECT_GT(counts[10], counts[0]);
    } else if (r >= 17) {
      EXPECT_LT(counts[10], counts[0]);
    }
  }
  // 1.3892 20 (1 - l / 12)^p with p = 10 (20 5.5 / 196 - 0.46) = 1.0122; 1.3892 = 5.5 / 3.959.
  EXPECT_EQ(countsPerBlock("adamerge+", {{"r", std::int64_t{20}}}),
            (std::vector<int>{28, 25, 23, 21, 19, 16, 13, 12, 9, 7, 4, 3}));
}

TEST(AdaMergePlusPlan, AdaptiveCountsFallWithDepthToo) {
  const VitConfig vit = squareModel(14, 1, 4);
  const at::Tensor tokens = randomTokens(197, 4, 3);
  const std::vector<float> sizes(197, 1.0F);
  for (const auto& [block, expected] : {std::pair(0, 20), {1, 11}, {2, 5}, {3, 1}}) {
    // Without statistics z is 0: half of 40 (1 - l / 4)^2.
    const MergePlan plan = planOf("adamerge", {{"r_max", std::int64_t{40}}, {"decay", 2.0}}, vit,
                                  layerOf(tokens, 1, block, sizes));
    EXPECT_EQ(plan.merges.size(), static_cast<std::size_t>(expected)) << "block " << block;
  }
}

TEST(AdaMergePlusPlan, BackgroundFirstKeepsTheSalient) {
  const at::Tensor tokens = randomTokens(65, 6, 4);
  const std::vector<float> sizes(65, 1.0F);
  const Settings background = {{"adaptive", false},
                               {"r", std::int64_t{32}},
                               {"priority", std::string("background")},
                               {"partition", std::string("alternating")}};
  const MergePlan plan =
      planOf("adamerge", background, squareModel(8, 1, 2), layerOf(tokens, 1, 0, sizes));
  const Rows rows = rowsOf(tokens, 1);
  ASSERT_EQ(plan.merges.size(), 32U);
  for (const PlannedMerge& merge : plan.merges) {
    const auto source = static_cast<std::size_t>(merge.source - 1);
    double best = -std::numeric_limits<double>::infinity();
    for (std::size_t j = 1; j < 64; j += 2) {
      best = std::max(best, (1.0 - plan.salience[source]) * cosine(rows[source], rows[j]));
    }
    EXPECT_NEAR(merge.similarity, best, 1e-6);
  }
}

TEST(AdaMergePlusPlan, IsAPresetOfAdaMerge) {
  const at::Tensor tokens = randomTokens(65, 6, 5);
  const std::vector<float> sizes = randomSizes(64, 1);
  const VitConfig vit = squareModel(8, 1, 3);
  const Settings preset = completeSettings({"adamerge+", {}, nullptr, false});
  for (int block = 0; block < 3; ++block) {
    const LayerTokens layer = layerOf(tokens, 1, block, sizes);
    const MergePlan own = planOf("adamerge+", {}, vit, layer);
    const MergePlan spelled = planOf("adamerge", preset, vit, layer);
    EXPECT_EQ(own.order, spelled.order);
    const auto a = sorted(own.merges);
    const auto b = sorted(spelled.merges);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t k = 0; k < a.size(); ++k) {
      EXPECT_EQ(a[k].source, b[k].source);
      EXPECT_EQ(a[k].destination, b[k].destination);
    }
  }
}

}  // namespace
}  // namespace adamerge
