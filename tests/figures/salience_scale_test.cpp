// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/salience_scale.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

namespace adamerge {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;
using testing::IsEmpty;
using testing::Pointwise;

constexpr SalienceScale kScales[] = {SalienceScale::kLinear, SalienceScale::kPercentile,
                                     SalienceScale::kRank, SalienceScale::kLogarithmic};

std::vector<float> skewedValues(std::size_t count) {
  std::mt19937 generator(7);
  std::vector<float> values(count);
  for (float& value : values) {
    value = std::pow(static_cast<float>(generator() % 1000) / 999.0F, 8.0F);
  }
  return values;
}

TEST(ScaleSalience, StaysInRangeAndKeepsOrder) {
  const std::vector<float> values = skewedValues(196);
  for (const SalienceScale scale : kScales) {
    const std::vector<float> scaled = scaleSalience(values, scale);
    ASSERT_EQ(scaled.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_TRUE(scaled[i] >= 0 && scaled[i] <= 1) << scaleName(scale);
      for (std::size_t j = 0; j < values.size(); ++j) {
        if (values[i] < values[j]) {
          EXPECT_LE(scaled[i], scaled[j]) << scaleName(scale);
        }
        if (values[i] == values[j]) {
          EXPECT_EQ(scaled[i], scaled[j]) << scaleName(scale);
        }
      }
    }
  }
}

TEST(ScaleSalience, LinearStretchesToTheWholeRange) {
  EXPECT_THAT(scaleSalience({0.2F, 0.3F, 0.6F}, SalienceScale::kLinear),
              ElementsAre(FloatEq(0), FloatNear(0.25F, 1e-6F), FloatEq(1)));
}

TEST(ScaleSalience, RankSharesTheMeanAmongEqualValues) {
  EXPECT_THAT(
      scaleSalience({5, 1, 5, 9, 0}, SalienceScale::kRank),
      ElementsAre(FloatEq(2.5F / 4), FloatEq(1.0F / 4), FloatEq(2.5F / 4), FloatEq(1), FloatEq(0)));
}

TEST(ScaleSalience, PercentileClipsTwoPercentAtEitherEnd) {
  std::vector<float> values(101);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  values.back() = 1e6F;
  const std::vector<float> scaled = scaleSalience(values, SalienceScale::kPercentile);
  EXPECT_FLOAT_EQ(scaled[2], 0);
  EXPECT_FLOAT_EQ(scaled[1], 0);
  EXPECT_NEAR(scaled[50], 0.5, 1e-6);
  EXPECT_FLOAT_EQ(scaled[98], 1);
  EXPECT_FLOAT_EQ(scaled[100], 1);
}

TEST(ScaleSalience, PercentileStillShowsTheFewThatDiffer) {
  std::vector<float> values(200, 0.0F);
  values[17] = 1;
  const std::vector<float> scaled = scaleSalience(values, SalienceScale::kPercentile);
  EXPECT_FLOAT_EQ(scaled[17], 1);
  EXPECT_FLOAT_EQ(scaled[18], 0);
}

TEST(ScaleSalience, LogarithmicLiftsSmallValues) {
  const std::vector<float> scaled = scaleSalience({0, 0.01F, 0.1F, 1}, SalienceScale::kLogarithmic);
  EXPECT_FLOAT_EQ(scaled[0], 0);
  EXPECT_NEAR(scaled[1], std::log(10.99) / std::log(1000.0), 1e-5);
  EXPECT_NEAR(scaled[2], std::log(100.9) / std::log(1000.0), 1e-5);
  EXPECT_FLOAT_EQ(scaled[3], 1);
}

TEST(ScaleSalience, ConstantSingleAndEmptyInputsAreFinite) {
  for (const SalienceScale scale : kScales) {
    EXPECT_THAT(scaleSalience(std::vector<float>(9, 0.3F), scale), Each(0.5F));
    EXPECT_THAT(scaleSalience({0.0F}, scale), ElementsAre(0.5F));
    EXPECT_THAT(scaleSalience({}, scale), IsEmpty());
  }
}

TEST(ScaleSalience, NotANumberCountsAsTheLowest) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const SalienceScale scale : kScales) {
    for (const float value : scaleSalience({nan, 1, 2, infinity, 3}, scale)) {
      EXPECT_TRUE(value >= 0 && value <= 1);
    }
    EXPECT_THAT(scaleSalience({nan, nan}, scale), Each(0.5F));
  }
}

TEST(ScaledSalience, ValueAtIsTheInverse) {
  const std::vector<float> values = skewedValues(196);
  for (const SalienceScale scale : kScales) {
    const ScaledSalience scaled(values, scale);
    for (const double t : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      const float low = static_cast<float>(scaled.valueAt(t));
      std::vector<float> extended = values;
      extended.push_back(low);
      EXPECT_NEAR(scaleSalience(extended, scale).back(), t, 0.02) << scaleName(scale);
    }
  }
}

TEST(ScaledSalience, LabelsTellWhereValuesWereClipped) {
  std::vector<float> values(101);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 100;
  const ScaledSalience clipped(values, SalienceScale::kPercentile);
  EXPECT_EQ(clipped.labelAt(0), "≤0.02");
  EXPECT_EQ(clipped.labelAt(0.5), "0.5");
  EXPECT_EQ(clipped.labelAt(1), "≥0.98");
  EXPECT_EQ(ScaledSalience(values, SalienceScale::kLinear).labelAt(1), "1");
  EXPECT_EQ(ScaledSalience({0.4F, 0.4F}, SalienceScale::kPercentile).labelAt(0.5), "0.4");
  // What is nothing beside the other end is called 0.
  EXPECT_EQ(ScaledSalience({1e-33F, 0.5F}, SalienceScale::kLinear).labelAt(0), "0");
  EXPECT_EQ(ScaledSalience({1e-33F, 2e-33F}, SalienceScale::kLinear).labelAt(1), "2e-33");
}

TEST(ScaledSalience, AHeldRangeIsTheBarsAndCutsWhatLiesBeyond) {
  const ValueRange held{0.2, 0.6};
  const std::vector<float> values{0.1F, 0.2F, 0.3F, 0.6F, 0.9F};
  EXPECT_THAT(scaleSalience(values, SalienceScale::kLinear, held),
              Pointwise(FloatNear(1e-6F), {0.0F, 0.0F, 0.25F, 1.0F, 1.0F}));
  EXPECT_EQ(scaleSalience(values, SalienceScale::kPercentile, held),
            scaleSalience(values, SalienceScale::kLinear, held));
  EXPECT_THAT(
      scaleSalience({0.2F, 0.6F, 0.3F}, SalienceScale::kLogarithmic, held),
      Pointwise(FloatNear(1e-5F), scaleSalience({0.2F, 0.6F, 0.3F}, SalienceScale::kLogarithmic)));
  const ScaledSalience scaled(values, SalienceScale::kLinear, held);
  EXPECT_EQ(scaled.labelAt(0), "≤0.2");
  EXPECT_EQ(scaled.labelAt(1), "≥0.6");
  EXPECT_EQ(ScaledSalience({0.3F, 0.5F}, SalienceScale::kLinear, held).labelAt(1), "0.6");
  // Equal values have their place in it.
  EXPECT_THAT(scaleSalience({0.3F, 0.3F}, SalienceScale::kLinear, held),
              Pointwise(FloatNear(1e-6F), {0.25F, 0.25F}));
}

TEST(ScaledSalience, TheRangeThatAScaleFindsGivesTheSameColoursWhenHeld) {
  std::vector<float> values;
  for (int i = 0; i < 200; ++i) values.push_back(std::exp(-0.05F * static_cast<float>(i)));
  for (const SalienceScale scale :
       {SalienceScale::kLinear, SalienceScale::kPercentile, SalienceScale::kLogarithmic}) {
    EXPECT_EQ(scaleSalience(values, scale, rangeOf(values, scale)), scaleSalience(values, scale));
  }
  OverlayStyle style;
  style.held = {{OverlayKind::kSalience, {1, 2}}, {OverlayKind::kAttention, {3, 4}}};
  EXPECT_EQ(style.heldRange(OverlayKind::kSalience), (ValueRange{1, 2}));
  EXPECT_EQ(style.heldRange(OverlayKind::kAttention), (ValueRange{3, 4}));
  EXPECT_EQ(style.heldRange(OverlayKind::kGroups), std::nullopt);
  style.scale = SalienceScale::kRank;
  EXPECT_EQ(style.heldRange(OverlayKind::kSalience), std::nullopt);
}

TEST(ScaleTicks, OfALogarithmicScaleStandAtPowersOfTen) {
  std::vector<float> values;
  for (int i = 0; i <= 300; ++i)
    values.push_back(std::pow(10.0F, -3 + 0.01F * static_cast<float>(i)));
  const auto ticks = scaleTicks(values, SalienceScale::kLogarithmic, 5);
  std::vector<std::string> labels;
  for (const ScaleTick& tick : ticks) labels.push_back(tick.label);
  EXPECT_THAT(labels, ElementsAre("0.001", "0.01", "0.1", "1"));
  for (std::size_t i = 1; i + 1 < ticks.size(); ++i) {
    const float value = std::stof(ticks[i].label);
    EXPECT_NEAR(ticks[i].position,
                scaleSalience(values, SalienceScale::kLogarithmic)[static_cast<std::size_t>(
                    std::lround((std::log10(value) + 3) * 100))],
                1e-3);
  }
  // Less than a decade has none.
  EXPECT_EQ(scaleTicks({2, 3, 4}, SalienceScale::kLogarithmic, 5).size(), 5U);
}

TEST(ScaleTicks, OfRanksNameTheMedian) {
  const auto ticks = scaleTicks({0.1F, 0.2F, 0.9F}, SalienceScale::kRank, 5);
  ASSERT_EQ(ticks.size(), 3U);
  EXPECT_EQ(ticks[0].label, "least 0.1");
  EXPECT_EQ(ticks[1].label, "median 0.2");
  EXPECT_EQ(ticks[1].position, 0.5);
  EXPECT_EQ(ticks[2].label, "most 0.9");
}

}  // namespace
}  // namespace adamerge
