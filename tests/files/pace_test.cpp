// SPDX-License-Identifier: GPL-3.0-or-later
// Pace and time left, of work that goes on from before, stands still and changes its pace.
#include "adamerge/pace.h"

#include <gtest/gtest.h>

namespace adamerge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr PaceMeter::Clock::time_point kStart{seconds(1000)};

TEST(PaceMeter, KnowsNothingBeforeTwoReports) {
  PaceMeter pace;
  EXPECT_EQ(pace.perSecond(), 0);
  EXPECT_EQ(pace.secondsLeft(), 0);
  pace.add(5, 10, kStart);
  EXPECT_EQ(pace.perSecond(), 0);
  EXPECT_EQ(pace.secondsLeft(), 0);
}

TEST(PaceMeter, CountsWhatWasDoneSinceTheFirstReport) {
  PaceMeter pace;
  pace.add(600, 1000, kStart);
  pace.add(640, 1000, kStart + seconds(10));
  EXPECT_DOUBLE_EQ(pace.perSecond(), 4);
  EXPECT_DOUBLE_EQ(pace.secondsLeft(), 90);
  EXPECT_DOUBLE_EQ(pace.seconds(), 10);
  pace.add(700, 1000, kStart + seconds(50));
  EXPECT_DOUBLE_EQ(pace.perSecond(), 2);
  EXPECT_DOUBLE_EQ(pace.secondsLeft(), 150);
}

TEST(PaceMeter, OfAWindowTheLastReportsCount) {
  PaceMeter pace(seconds(8));
  for (int second = 0; second <= 20; ++second)
    pace.add(100 * second, 3000, kStart + seconds(second));
  for (int second = 1; second <= 8; ++second) {
    pace.add(2000 + 10 * second, 3000, kStart + seconds(20 + second));
  }
  EXPECT_DOUBLE_EQ(pace.perSecond(), 10);
  EXPECT_DOUBLE_EQ(pace.secondsLeft(), 92);
  // What stands still gets slower, and is not forgotten.
  pace.add(2080, 3000, kStart + seconds(36));
  EXPECT_GT(pace.perSecond(), 0);
  EXPECT_LT(pace.perSecond(), 10);
}

TEST(PaceMeter, IsDueTenTimesASecondAndAtTheEnd) {
  PaceMeter pace;
  pace.add(0, 3, kStart);
  EXPECT_TRUE(pace.isDue(kStart));
  pace.add(1, 3, kStart + milliseconds(99));
  EXPECT_FALSE(pace.isDue(kStart + milliseconds(99)));
  pace.add(2, 3, kStart + milliseconds(100));
  EXPECT_TRUE(pace.isDue(kStart + milliseconds(100)));
  pace.add(3, 3, kStart + milliseconds(101));
  EXPECT_TRUE(pace.isDue(kStart + milliseconds(101)));
}

}  // namespace
}  // namespace adamerge
