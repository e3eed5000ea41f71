// SPDX-License-Identifier: GPL-3.0-or-later
// Against the published numbers (specification, "FLOPs" and "DSM").
#include "adamerge/flops.h"

#include <gtest/gtest.h>

#include <vector>

namespace adamerge {
namespace {

/// ViT-B/16 at 224 with r merges between attention and MLP in every block from `delay` on.
Flops constantCount(int r, int delay = 0) {
  const VitConfig vit;
  std::vector<BlockWork> blocks;
  int tokens = 197;
  for (int block = 0; block < vit.depth; ++block) {
    const int after = block < delay ? tokens : tokens - r;
    blocks.push_back({tokens, tokens, after, 0});
    tokens = after;
  }
  return countFlops(vit, blocks);
}

TEST(Flops, UnmergedViTBase) {
  const Flops flops = unmergedFlops(VitConfig{});
  EXPECT_NEAR(flops.paper, 17.447, 5e-4);
  // Patch embedding 196 * 768 * 768 and head 768 * 1000 besides.
  EXPECT_NEAR(flops.total, flops.paper + 0.115605504 + 0.000768, 1e-9);
}

TEST(Flops, ToMeGivesTheValuesOfTable1) {
  const std::vector<double> published = {15.93, 15.43, 14.93, 14.43, 13.94, 13.44};
  for (int r = 3; r <= 8; ++r) {
    EXPECT_NEAR(constantCount(r).paper, published[static_cast<std::size_t>(r - 3)], 0.01) << r;
  }
}

TEST(Flops, DelayedMergingGivesTheSpecifiedValues) {
  const std::vector<std::tuple<int, int, double>> cases = {{12, 6, 16.08}, {18, 6, 15.40},
                                                           {16, 5, 14.90}, {14, 4, 14.48},
                                                           {17, 4, 13.85}, {20, 4, 13.23}};
  for (const auto& [r, delay, expected] : cases) {
    EXPECT_NEAR(constantCount(r, delay).paper, expected, 0.01) << r << ", " << delay;
  }
}

TEST(Flops, TotalCountsTokensWhereTheyAre) {
  VitConfig vit;
  vit.depth = 1;
  const auto total = [&](int attention, int mlp, double macs) {
    const BlockWork block{100, attention, mlp, macs};
    return countFlops(vit, {&block, 1});
  };
  const Flops all = total(100, 100, 0);
  EXPECT_EQ(total(90, 90, 0).paper, all.paper);
  EXPECT_NEAR(all.total - total(100, 90, 0).total, 10 * 2.0 * 768 * 3072 / 1e9, 1e-9);
  EXPECT_NEAR(all.total - total(90, 100, 0).total,
              (10 * 4.0 * 768 * 768 + 2.0 * (100 * 100 - 90 * 90) * 768) / 1e9, 1e-9);
  EXPECT_NEAR(total(100, 100, 5e8).total - all.total, 0.5, 1e-9);
}

}  // namespace
}  // namespace adamerge
