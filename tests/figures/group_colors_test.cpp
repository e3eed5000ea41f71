// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adamerge/error.h"
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

}  // namespace
}  // namespace adamerge
