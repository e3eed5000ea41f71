// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "adamerge/error.h"
#include "figures/patch_marks.h"
#include "figures/patches.h"
#include "sample_figure.h"

namespace adamerge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// One column of grey pixels.
Image greyColumn(const std::vector<std::uint8_t>& values) {
  Image image{1, static_cast<int>(values.size()), {}};
  for (const std::uint8_t value : values) image.pixels.insert(image.pixels.end(), 3, value);
  return image;
}

TEST(GroupColors, AverageThePixelsOfAllMembers) {
  Image view{4, 2, {}};
  view.pixels = {0,  0, 0, 10, 0, 0, 100, 0, 0, 110, 0, 0,  //
                 20, 0, 0, 30, 0, 0, 120, 0, 0, 130, 0, 255};
  EXPECT_THAT(groupColors(view, 1, 2, {0, 1}),
              ElementsAre(ElementsAre(15, 0, 0), ElementsAre(115, 0, 64)));
  EXPECT_THAT(groupColors(view, 1, 2, {0, 0}),
              ElementsAre(ElementsAre(65, 0, 32), ElementsAre(65, 0, 32)));
  EXPECT_THAT(groupColors(view, 1, 4, {0, 1, 1, 0}),
              ElementsAre(ElementsAre(65, 0, 64), ElementsAre(65, 0, 0), ElementsAre(65, 0, 0),
                          ElementsAre(65, 0, 64)));
}

TEST(GroupColors, WeighUnevenPatchesByTheirPixels) {
  // Seven rows in three patches: rows 0-1, 2-3, 4-6.
  const Image view = greyColumn({0, 10, 20, 30, 40, 50, 60});
  EXPECT_THAT(groupColors(view, 3, 1, {0, 1, 2}),
              ElementsAre(ElementsAre(5, 5, 5), ElementsAre(25, 25, 25), ElementsAre(50, 50, 50)));
  EXPECT_EQ(groupColors(view, 3, 1, {0, 1, 0})[0][0], 32);
}

TEST(GroupColors, AViewSmallerThanItsGridStillHasColours) {
  const Image view = greyColumn({10, 200});
  const auto colors = groupColors(view, 5, 1, {0, 1, 2, 3, 4});
  EXPECT_EQ(colors[0][0], 10);
  EXPECT_EQ(colors[4][0], 200);
}

TEST(GroupColors, RejectWhatDoesNotFit) {
  const auto misfit = ThrowsMessage<Error>(HasSubstr("do not fit together"));
  const Image view = test::gradientImage(8, 8);
  EXPECT_THAT([&] { groupColors(view, 2, 2, {0, 1, 2}); }, misfit);
  EXPECT_THAT([&] { groupColors(view, 2, 2, {0, 1, 2, -1}); }, misfit);
  EXPECT_THAT([&] { groupColors(view, 0, 2, {}); }, misfit);
  EXPECT_THAT([&] { groupColors({}, 1, 1, {0}); }, misfit);
}

TEST(GroupBoundaries, SeparateDifferentGroupsOnlyAndJoinStraightRuns) {
  const Box box{10, 20, 30, 20};
  EXPECT_TRUE(groupBoundaries({0, 0, 0, 0, 0, 0}, {2, 3}, box).empty());
  const std::vector<Segment> row = groupBoundaries({0, 0, 0, 1, 1, 1}, {2, 3}, box);
  ASSERT_EQ(row.size(), 1U);
  EXPECT_DOUBLE_EQ(row[0].from.x, 10);
  EXPECT_DOUBLE_EQ(row[0].to.x, 40);
  EXPECT_DOUBLE_EQ(row[0].from.y, 30);
  // The corner of an L: one horizontal and one vertical piece.
  const std::vector<Segment> corner = groupBoundaries({0, 0, 0, 1, 0, 0}, {2, 3}, box);
  ASSERT_EQ(corner.size(), 2U);
  EXPECT_DOUBLE_EQ(corner[0].to.x, 20);
  EXPECT_DOUBLE_EQ(corner[1].from.x, 20);
  EXPECT_DOUBLE_EQ(corner[1].from.y, 30);
  EXPECT_DOUBLE_EQ(corner[1].to.y, 40);
}

TEST(PanelImage, GivesEveryPatchTheSamePixels) {
  for (const auto& [height, width] : {std::pair{14, 14}, {4, 6}, {37, 37}, {1, 1}}) {
    const Image panel = panelImage(test::gradientImage(97, 65), {height, width}, 300);
    EXPECT_EQ(panel.width % width, 0);
    EXPECT_EQ(panel.height % height, 0);
    EXPECT_GE(panel.width, 300);
  }
}

TEST(ShadedImage, EveryPatchAveragesToItsColour) {
  Image view = test::gradientImage(64, 64);
  for (std::uint8_t& value : view.pixels) value = static_cast<std::uint8_t>(64 + value / 4);
  const Grid grid{2, 2};
  Image colors{64, 64, {}};
  for (int i = 0; i < 64 * 64; ++i) colors.pixels.insert(colors.pixels.end(), {120, 130, 140});
  const Image shaded = shadedImage(panelImage(view, grid, 64), grid, colors);
  EXPECT_NE(shaded.at(0, 0)[0], shaded.at(31, 31)[0]);
  for (const auto& mean : groupColors(shaded, 2, 2, {0, 1, 2, 3})) {
    EXPECT_NEAR(mean[0], 120, 1);
    EXPECT_NEAR(mean[1], 130, 1);
    EXPECT_NEAR(mean[2], 140, 1);
  }
}

constexpr Grid kGrid{14, 14};

/// Blocks that join `count` pairs of groups each, anywhere in the grid.
std::vector<LayerTrace> randomMerging(unsigned seed, int blocks, int count) {
  std::mt19937 random(seed);
  std::vector<int> groups(static_cast<std::size_t>(kGrid.patches()));
  std::iota(groups.begin(), groups.end(), 0);
  std::vector<LayerTrace> layers;
  for (int block = 0; block < blocks; ++block) {
    for (int i = 0; i < count; ++i) {
      const int from = groups[random() % groups.size()];
      const int to = groups[random() % groups.size()];
      std::replace(groups.begin(), groups.end(), from, to);
    }
    std::map<int, int> numbers;
    LayerTrace layer;
    for (const int group : groups) {
      layer.groups.push_back(
          numbers.emplace(group, static_cast<int>(numbers.size())).first->second);
    }
    layers.push_back(layer);
  }
  return layers;
}

/// Calls visit(patch, other) for all pairs that touch, be it at a corner.
void forAllThatTouch(const std::function<void(std::size_t, std::size_t)>& visit) {
  for (int a = 0; a < kGrid.patches(); ++a) {
    for (int b = a + 1; b < kGrid.patches(); ++b) {
      const int down = b / kGrid.width - a / kGrid.width;
      const int right = b % kGrid.width - a % kGrid.width;
      if (down <= 1 && std::abs(right) <= 1) {
        visit(static_cast<std::size_t>(a), static_cast<std::size_t>(b));
      }
    }
  }
}

TEST(OutlineColors, OfGroupsThatTouchDiffer) {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    const std::vector<LayerTrace> layers = randomMerging(seed, 12, 14);
    for (int layer = 0; layer < 12; ++layer) {
      const std::vector<int>& groups = layers[static_cast<std::size_t>(layer)].groups;
      const std::vector<int> colors = outlineColors(layers, layer, kGrid);
      std::map<int, int> sizes;
      for (const int group : groups) ++sizes[group];
      for (std::size_t patch = 0; patch < groups.size(); ++patch) {
        EXPECT_EQ(colors[patch] >= 0, sizes[groups[patch]] > 1);
      }
      forAllThatTouch([&](std::size_t a, std::size_t b) {
        if (groups[a] == groups[b]) {
          EXPECT_EQ(colors[a], colors[b]);
        } else if (colors[a] >= 0) {
          EXPECT_NE(colors[a], colors[b]) << "seed " << seed << ", layer " << layer;
        }
      });
    }
  }
}

TEST(OutlineColors, AreKeptUnlessANeighbourHasTheSame) {
  const std::vector<LayerTrace> layers = randomMerging(7, 10, 8);
  int kept = 0;
  int changed = 0;
  for (int layer = 1; layer < 10; ++layer) {
    const std::vector<int>& before = layers[static_cast<std::size_t>(layer) - 1].groups;
    const std::vector<int>& after = layers[static_cast<std::size_t>(layer)].groups;
    const std::vector<int> old = outlineColors(layers, layer - 1, kGrid);
    const std::vector<int> now = outlineColors(layers, layer, kGrid);
    std::map<int, std::set<int>> came_from;
    for (std::size_t patch = 0; patch < after.size(); ++patch) {
      came_from[after[patch]].insert(before[patch]);
    }
    for (std::size_t patch = 0; patch < after.size(); ++patch) {
      // A group that nothing joined.
      if (old[patch] < 0 || came_from[after[patch]].size() > 1) continue;
      if (old[patch] == now[patch]) {
        ++kept;
        continue;
      }
      ++changed;
      bool met = false;
      forAllThatTouch([&](std::size_t a, std::size_t b) {
        met = met || (after[a] == after[patch] && after[b] != after[a] && now[b] == old[patch]) ||
              (after[b] == after[patch] && after[a] != after[b] && now[a] == old[patch]);
      });
      EXPECT_TRUE(met) << "layer " << layer << ", patch " << patch;
    }
  }
  // Scattered groups touch nearly all others; those of pictures hardly ever change.
  EXPECT_GT(kept, 5 * changed);
}

TEST(OutlineColors, AreAsManyAsGroupsAllTouchingEachOtherNeed) {
  LayerTrace layer;
  std::mt19937 random(5);
  for (int patch = 0; patch < kGrid.patches(); ++patch) {
    layer.groups.push_back(static_cast<int>(random() % 10));
  }
  const std::vector<int> colors = outlineColors({layer}, 0, kGrid);
  std::set<std::pair<int, int>> meetings;
  forAllThatTouch([&](std::size_t a, std::size_t b) {
    meetings.insert(std::minmax(layer.groups[a], layer.groups[b]));
  });
  ASSERT_GE(meetings.size(), 45U) << "not all groups touch";
  EXPECT_EQ(std::set<int>(colors.begin(), colors.end()).size(), 10U);
}

}  // namespace
}  // namespace adamerge
