// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "adamerge/figures.h"

namespace adamerge {
namespace {

using testing::ElementsAre;

int brightness(const std::array<std::uint8_t, 3>& c) {
  return 299 * c[0] + 587 * c[1] + 114 * c[2];
}

TEST(ColormapColor, HasThePublishedEnds) {
  EXPECT_THAT(colormapColor(Colormap::kViridis, 0), ElementsAre(68, 1, 84));
  EXPECT_THAT(colormapColor(Colormap::kViridis, 1), ElementsAre(253, 231, 37));
  EXPECT_THAT(colormapColor(Colormap::kMagma, 0), ElementsAre(0, 0, 4));
  EXPECT_THAT(colormapColor(Colormap::kMagma, 1), ElementsAre(252, 253, 191));
  EXPECT_THAT(colormapColor(Colormap::kTurbo, 0), ElementsAre(48, 18, 59));
  EXPECT_THAT(colormapColor(Colormap::kTurbo, 1), ElementsAre(122, 4, 3));
  EXPECT_THAT(colormapColor(Colormap::kGrey, 0.5), ElementsAre(128, 128, 128));
}

TEST(ColormapColor, GrowsBrighterWhereTheMapIsSequential) {
  for (const Colormap map : {Colormap::kViridis, Colormap::kMagma, Colormap::kGrey}) {
    for (int i = 8; i < 256; i += 8) {
      EXPECT_GT(brightness(colormapColor(map, i / 255.0)),
                brightness(colormapColor(map, (i - 8) / 255.0)));
    }
  }
}

TEST(ColormapColor, TakesValuesBeyondTheEndsAndNotANumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(colormapColor(Colormap::kViridis, -3), colormapColor(Colormap::kViridis, 0));
  EXPECT_EQ(colormapColor(Colormap::kViridis, 7), colormapColor(Colormap::kViridis, 1));
  EXPECT_EQ(colormapColor(Colormap::kViridis, nan), colormapColor(Colormap::kViridis, 0));
}

}  // namespace
}  // namespace adamerge
