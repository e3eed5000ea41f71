// SPDX-License-Identifier: GPL-3.0-or-later
// Plans against a plain reading of the specification, with loops in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "adamerge/error.h"
#include "plan_arithmetic.h"

namespace adamerge {
namespace {

using namespace test;

/// Salience by its definition: column sums of the row-softmax of P P^T, min-max normalised.
std::vector<double> salienceByLoops(const Rows& p, double scale) {
  std::vector<double> sums(p.size(), 0.0);
  for (const auto& row : p) {
    std::vector<double> g;
    for (const auto& column : p) g.push_back(dot(row, column) * scale);
    const double highest = *std::max_element(g.begin(), g.end());
    double total = 0;
    for (double& value : g) total += value = std::exp(value - highest);
    for (std::size_t j = 0; j < g.size(); ++j) sums[j] += g[j] / total;
  }
  const auto [low, high] = std::minmax_element(sums.begin(), sums.end());
  const double minimum = *low;
  const double range = *high - minimum + 1e-6;
  for (double& value : sums) value = (value - minimum) / range;
  return sums;
}

struct AdaMergeCase {
  int patches;
  int prefix;
  bool salience;
  bool alternating;
  bool scaled;
};

void PrintTo(const AdaMergeCase& c, std::ostream* out) {
  *out << c.patches << " patches, " << c.prefix << " prefix" << (c.salience ? "" : ", no salience")
       << (c.alternating ? ", alternating" : "") << (c.scaled ? ", scaled" : "");
}

class AdaMergePlan : public testing::TestWithParam<AdaMergeCase> {};

TEST_P(AdaMergePlan, FollowsTheSpecificationStepByStep) {
  const AdaMergeCase& c = GetParam();
  constexpr int kDim = 6;
  const int n = c.patches;
  const at::Tensor tokens = randomTokens(n + c.prefix, kDim, n + c.prefix);
  const std::vector<float> sizes(static_cast<std::size_t>(n + c.prefix), 1.0F);
  Statistics statistics;
  statistics.depth = 2;
  statistics.entries = {{8, {0.2, 0.3}, {0.1, 0.2}}};
  const Settings settings = {
      {"r_max", std::int64_t{8}},
      {"alpha", 1.5},
      {"temperature", 0.7},
      {"salience", c.salience},
      {"partition", std::string(c.alternating ? "alternating" : "sequential")},
      {"affinity", std::string(c.scaled ? "scaled" : "raw")}};
  const MergePlan plan = planOf("adamerge", settings, squareModel(8, c.prefix, 2),
                                layerOf(tokens, c.prefix, 1, sizes), &statistics);

  const Rows p = rowsOf(tokens, c.prefix);
  const std::vector<double> salience = salienceByLoops(p, c.scaled ? 1 / std::sqrt(kDim) : 1.0);
  std::vector<std::size_t> a;
  std::vector<std::size_t> b;
  for (int i = 0; i < n; ++i) {
    const bool source = c.alternating ? i % 2 == 0 : i < n / 2;
    (source ? a : b).push_back(static_cast<std::size_t>(i));
  }
  std::vector<Best> best(a.size());
  double redundancy = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (const std::size_t j : b) {
      const double score = (c.salience ? salience[a[i]] : 1.0) * cosine(p[a[i]], p[j]);
      if (score > best[i].score) best[i] = {score, j};
    }
    redundancy += best[i].score / static_cast<double>(a.size());
  }
  ASSERT_TRUE(plan.redundancy.has_value());
  EXPECT_NEAR(*plan.redundancy, redundancy, 1e-6);
  EXPECT_NEAR(plan.mu.value(), 0.3, 1e-12);
  EXPECT_NEAR(plan.sigma.value(), 0.2, 1e-12);
  const double z = (redundancy - 0.3) / 0.2;
  EXPECT_NEAR(plan.z.value(), z, 1e-5);
  const auto r = std::min<std::size_t>(static_cast<std::size_t>(8 / (1 + std::exp(-1.5 * z / 0.7))),
                                       static_cast<std::size_t>(n / 2));
  ASSERT_EQ(plan.merges.size(), r);
  for (std::size_t i = 0; i < salience.size(); ++i) {
    EXPECT_NEAR(plan.salience[i], salience[i], 1e-6);
  }

  std::vector<std::size_t> order(a.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t x, std::size_t y) { return best[x].score > best[y].score; });
  std::vector<std::int64_t> kept;
  for (int i = 0; i < c.prefix; ++i) kept.push_back(i);
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::find(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(r), i) ==
        order.begin() + static_cast<std::ptrdiff_t>(r)) {
      kept.push_back(static_cast<std::int64_t>(a[i]) + c.prefix);
    }
  }
  for (const std::size_t j : b) kept.push_back(static_cast<std::int64_t>(j) + c.prefix);
  for (std::size_t k = 0; k < r; ++k) {
    EXPECT_EQ(plan.merges[k].source, static_cast<std::int64_t>(a[order[k]]) + c.prefix);
    EXPECT_EQ(plan.merges[k].destination,
              static_cast<std::int64_t>(best[order[k]].match) + c.prefix);
    EXPECT_NEAR(plan.merges[k].similarity, best[order[k]].score, 1e-6);
  }
  if (r > 0) {
    EXPECT_EQ(plan.order, kept);
    for (std::size_t i = 0; i < salience.size(); ++i) {
      EXPECT_NEAR(plan.weights[i + static_cast<std::size_t>(c.prefix)],
                  c.salience ? salience[i] + 1e-6 : 1.0, 1e-6);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, AdaMergePlan,
    testing::Values(AdaMergeCase{2, 1, true, false, false}, AdaMergeCase{3, 1, true, false, false},
                    AdaMergeCase{3, 0, true, true, false}, AdaMergeCase{16, 1, true, false, false},
                    AdaMergeCase{16, 1, true, false, true},
                    AdaMergeCase{16, 5, false, false, false}, AdaMergeCase{17, 2, true, true, true},
                    AdaMergeCase{49, 1, false, true, false},
                    AdaMergeCase{64, 0, true, false, true}));

TEST(AdaMergePlan, FewerThanTwoPatchTokensMergeNothing) {
  for (const int patches : {0, 1}) {
    const std::vector<float> sizes(static_cast<std::size_t>(patches + 1), 1.0F);
    const MergePlan plan = planOf("adamerge", {}, squareModel(8, 1, 2),
                                  layerOf(randomTokens(patches + 1, 4, 0), 1, 0, sizes));
    EXPECT_TRUE(plan.merges.empty());
    EXPECT_FALSE(plan.redundancy.has_value());
    EXPECT_FALSE(plan.z.has_value());
  }
}

TEST(AdaMergePlan, StaysFiniteForHugeEqualAndZeroTokens) {
  const std::vector<float> sizes(17, 1.0F);
  for (const at::Tensor& tokens :
       {randomTokens(17, 8, 1) * 1e15, at::ones({17, 8}), at::zeros({17, 8})}) {
    const MergePlan plan =
        planOf("adamerge", {}, squareModel(8, 1, 2), layerOf(tokens, 1, 0, sizes));
    EXPECT_TRUE(std::isfinite(plan.redundancy.value()));
    for (const float s : plan.salience) EXPECT_TRUE(s >= 0 && s <= 1) << s;
  }
}

/// ToMe by its definition, for any prefix.
TEST(ToMePlan, FollowsTheSpecification) {
  for (const int prefix : {0, 1, 2, 5}) {
    for (const int patches : {2, 3, 16, 33}) {
      for (const int r : {1, 4, 16}) {
        SCOPED_TRACE(testing::Message() << prefix << " prefix, " << patches << " patches, r " << r);
        const int count = prefix + patches;
        const at::Tensor tokens = randomTokens(count, 5, count);
        std::vector<float> sizes;
        for (int i = 0; i < count; ++i) sizes.push_back(static_cast<float>(1 + i % 3));
        const MergePlan plan = planOf("tome", {{"r", std::int64_t{r}}}, squareModel(8, prefix, 2),
                                      layerOf(tokens, prefix, 0, sizes));
        const Rows rows = rowsOf(tokens, 0);
        std::vector<std::pair<double, std::pair<int, int>>> edges;
        for (int i = 0; i < count; i += 2) {
          if (i < prefix) continue;
          Best best;
          for (int j = 1; j < count; j += 2) {
            if (j < prefix) continue;
            const double score = cosine(rows[i], rows[j]);
            if (score > best.score) best = {score, static_cast<std::size_t>(j)};
          }
          edges.push_back({best.score, {i, static_cast<int>(best.match)}});
        }
        std::stable_sort(edges.begin(), edges.end(),
                         [](const auto& x, const auto& y) { return x.first > y.first; });
        edges.resize(static_cast<std::size_t>(std::min(r, patches / 2)));
        ASSERT_EQ(plan.merges.size(), edges.size());
        for (std::size_t k = 0; k < edges.size(); ++k) {
          EXPECT_EQ(plan.merges[k].source, edges[k].second.first);
          EXPECT_EQ(plan.merges[k].destination, edges[k].second.second);
        }
        for (int i = 0; i < prefix; ++i) EXPECT_EQ(plan.order[static_cast<std::size_t>(i)], i);
        EXPECT_EQ(plan.weights, sizes);
      }
    }
  }
}

TEST(ToMePlan, SchedulesTruncateAsTheReferenceDoes) {
  const auto counts = [](const Settings& settings) { return countsPerBlock("tome", settings); };
  // int(16 - 32 / 11 * i) and its mirror, as ToMe's parse_r gives for (8, -1) and (8, 1).
  EXPECT_EQ(counts({{"r", std::int64_t{8}}, {"inflection", -1.0}}),
            (std::vector<int>{16, 14, 13, 11, 10, 8, 7, 5, 4, 2, 1, 0}));
  EXPECT_EQ(counts({{"r", std::int64_t{8}}, {"inflection", 1.0}}),
            (std::vector<int>{0, 1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16}));
  EXPECT_EQ(counts({{"r_per_block", std::vector<std::int64_t>{5, 0, 7}}}),
            (std::vector<int>{5, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Schedules, CountsPerBlockReplaceEveryOtherCount) {
  const Settings given{{"r_per_block", std::vector<std::int64_t>{5, 0, 7}}};
  for (const char* method : {"tome", "tofu", "dsm", "pitome", "atc", "adamerge", "adamerge+"}) {
    SCOPED_TRACE(method);
    Settings settings = given;
    if (std::string(method) == "dsm") settings["delay"] = std::int64_t{1};
    if (std::string(method) == "adamerge") settings["adaptive"] = false;
    std::vector<int> expected(12, 0);
    expected[0] = settings.contains("delay") ? 0 : 5;
    expected[2] = 7;
    EXPECT_EQ(countsPerBlock(method, settings), expected);
  }
  // Without them, or where others are in force, they say nothing.
  EXPECT_NE(countsPerBlock("adamerge", given).front(), 5);
  Settings kept = given;
  kept["keep_ratio"] = 0.9;
  EXPECT_EQ(countsPerBlock("pitome", kept).front(), 19);
}

TEST(DsmPlan, NothingBeforeTheDelayAndPairsOnlyWithinAWindow) {
  const VitConfig vit = squareModel(8, 1, 4);
  const at::Tensor tokens = randomTokens(65, 4, 9);
  const std::vector<float> sizes(65, 1.0F);
  std::vector<int> patch_tokens(64);
  std::iota(patch_tokens.begin(), patch_tokens.end(), 1);
  const Settings settings = {
      {"r", std::int64_t{20}}, {"delay", std::int64_t{1}}, {"window", std::int64_t{4}}};
  const auto plan = [&](int block) {
    LayerTokens layer = layerOf(tokens, 1, block, sizes);
    layer.patch_tokens = patch_tokens;
    return planOf("dsm", settings, vit, layer);
  };
  EXPECT_TRUE(plan(0).merges.empty());
  // Windows 4, 2, 1 cells a side in blocks 1, 2, 3: cells of 2, 4 and 8 patches.
  for (const auto& [block, cell] : {std::pair(1, 2), {2, 4}, {3, 8}}) {
    const MergePlan merged = plan(block);
    EXPECT_EQ(merged.merges.size(), 20U);
    for (const PlannedMerge& merge : merged.merges) {
      const auto cellOf = [&](std::int64_t position) {
        const auto patch = static_cast<int>(position) - 1;
        return std::pair(patch / 8 / cell, patch % 8 / cell);
      };
      EXPECT_EQ(cellOf(merge.source), cellOf(merge.destination));
    }
  }
}

TEST(PiToMePlan, KeepRatioDecidesTheCount) {
  const VitConfig vit = squareModel(8, 1, 4);
  const std::vector<float> sizes(65, 1.0F);
  for (const int block : {0, 3}) {
    const MergePlan plan = planOf("pitome", {{"keep_ratio", 0.9}}, vit,
                                  layerOf(randomTokens(65, 4, 2), 1, block, sizes));
    EXPECT_EQ(plan.merges.size(), 6U);  // floor(64 - 57.6)
    EXPECT_EQ(plan.order.size(), 59U);
  }
}

TEST(ToFuPlan, PrunesFirstThenPreservesNorms) {
  const VitConfig vit = squareModel(8, 1, 5);
  const std::vector<float> sizes(65, 1.0F);
  for (int block = 0; block < 5; ++block) {
    const MergePlan plan =
        planOf("tofu", {}, vit, layerOf(randomTokens(65, 4, 2), 1, block, sizes));
    EXPECT_EQ(plan.combine, block <= 2 ? Combine::kPrune : Combine::kNormPreserving);
  }
}

TEST(Plans, AMethodSaysWhetherItIsCalibrated) {
  const VitConfig vit = squareModel(8, 1, 6);
  Statistics statistics;
  statistics.depth = vit.depth;
  statistics.entries = {{8, std::vector<double>(6, 0.2), std::vector<double>(6, 0.1)}};
  const auto calibrated = [&](const char* method, const Settings& settings,
                              const Statistics* used) {
    return findMethodEntry(method)
        .make(completeSettings({method, settings, nullptr, false}), {vit, used})
        ->calibrated();
  };
  for (const char* method : {"adamerge", "adamerge+"}) {
    EXPECT_TRUE(calibrated(method, {{"adaptive", true}}, &statistics));
    EXPECT_FALSE(calibrated(method, {{"adaptive", true}}, nullptr));
    EXPECT_TRUE(calibrated(method, {{"adaptive", false}}, nullptr));
  }
  for (const char* method : {"none", "tome", "pitome", "tofu", "dsm"}) {
    EXPECT_TRUE(calibrated(method, {}, nullptr)) << method;
  }
}

// Of two destinations that differ by less than fp32 holds, fp64 finds the better one, and fp32
// takes the first.
TEST(Plans, AllMethodsDecideInThePrecisionThatTheLayerNames) {
  const at::Tensor tokens =
      at::tensor({1., 0., 0., 1., 1e-5, 0., 1., 0., 0., 1., 0., 0., 1., 0., 0., 0., 0., 1.},
                 at::kDouble)
          .reshape({6, 3});
  const std::vector<float> sizes(6, 1.0F);
  for (const char* method : {"tome", "tofu", "dsm", "pitome", "adamerge"}) {
    SCOPED_TRACE(method);
    Settings settings{{"r", std::int64_t{1}}};
    if (std::string(method) == "dsm") settings["delay"] = std::int64_t{0};
    if (std::string(method) == "adamerge") {
      settings.insert({{"adaptive", false}, {"salience", false}});
      settings["partition"] = std::string("alternating");
    }
    LayerTokens layer = layerOf(tokens, 0, 0, sizes);
    layer.trace = false;
    for (const auto& [precision, destination] :
         {std::pair(at::kDouble, 3), std::pair(at::kFloat, 1)}) {
      layer.deciding = precision;
      const MergePlan plan = planOf(method, settings, squareModel(4, 0, 2), layer);
      ASSERT_EQ(plan.merges.size(), 1U);
      EXPECT_EQ(plan.merges[0].source, 0);
      EXPECT_EQ(plan.merges[0].destination, destination) << precision;
    }
  }
}

}  // namespace
}  // namespace adamerge
