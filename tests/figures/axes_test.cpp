// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/axes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adamerge {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

TEST(NiceTicks, AreRoundAndWithinTheRange) {
  EXPECT_THAT(niceTicks(0, 220, 4), ElementsAre(0, 100, 200));
  EXPECT_THAT(niceTicks(0.21, 0.62, 4),
              Pointwise(DoubleNear(1e-12), std::vector<double>{0.4, 0.6}));
  EXPECT_THAT(niceTicks(-0.1, 0.1, 2),
              Pointwise(DoubleNear(1e-12), std::vector<double>{-0.1, 0, 0.1}));
  EXPECT_THAT(niceTicks(3, 3, 4), ElementsAre(3));
}

TEST(TickLabel, HasTheDecimalsThatTheStepNeeds) {
  EXPECT_EQ(tickLabel(100, {0, 100, 200}), "100");
  EXPECT_EQ(tickLabel(0.4, {0.2, 0.4}), "0.4");
  EXPECT_EQ(tickLabel(0.25, {0.2, 0.25}), "0.25");
  EXPECT_EQ(tickLabel(-1e-17, {-0.1, -1e-17, 0.1}), "0.0");
}

TEST(BlockTicks, ThinOutWhereThereIsNoRoom) {
  EXPECT_EQ(blockTicks(12, 180).size(), 12U);
  EXPECT_THAT(blockTicks(24, 180), ElementsAre(2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24));
  EXPECT_THAT(blockTicks(48, 180), ElementsAre(5, 10, 15, 20, 25, 30, 35, 40, 45));
  EXPECT_THAT(blockTicks(1, 180), ElementsAre(1));
}

}  // namespace
}  // namespace adamerge
