// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adamerge/error.h"
#include "adamerge/figures.h"

namespace adamerge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

LayerTrace layer(std::vector<int> groups, std::vector<GroupMerge> merges) {
  LayerTrace trace;
  trace.groups = std::move(groups);
  trace.merges = std::move(merges);
  return trace;
}

constexpr PatchFate kUntouched = PatchFate::kUntouched;
constexpr PatchFate kAbsorbed = PatchFate::kAbsorbed;
constexpr PatchFate kMerged = PatchFate::kMerged;

/// Six patches. Block 0: patch 0 into 3. Block 1: groups are {0,3}=0, 1=1, 2=2, 4=3, 5=4; group 0
/// goes into 4 (patch 5) and group 1 into 2. Block 2: {0,3,5}=0, {1,2}=1, 4=2; group 1 into 0.
std::vector<LayerTrace> threeLayers() {
  return {layer({0, 1, 2, 0, 3, 4}, {{0, 3, 0}}), layer({0, 1, 1, 0, 2, 0}, {{0, 4, 0}, {1, 2, 0}}),
          layer({0, 0, 0, 0, 1, 0}, {{1, 0, 0}})};
}

TEST(SurvivingPatches, FollowTheDestinations) {
  EXPECT_THAT(survivingPatches(threeLayers(), 0), ElementsAre(3, 1, 2, 3, 4, 5));
  EXPECT_THAT(survivingPatches(threeLayers(), 1), ElementsAre(5, 2, 2, 5, 4, 5));
  EXPECT_THAT(survivingPatches(threeLayers(), 2), ElementsAre(5, 5, 5, 5, 4, 5));
}

TEST(SurvivingPatches, GiveThePatchFates) {
  EXPECT_THAT(patchFates(survivingPatches(threeLayers(), 0)),
              ElementsAre(kMerged, kUntouched, kUntouched, kAbsorbed, kUntouched, kUntouched));
  EXPECT_THAT(patchFates(survivingPatches(threeLayers(), 1)),
              ElementsAre(kMerged, kMerged, kAbsorbed, kMerged, kUntouched, kAbsorbed));
  EXPECT_THAT(patchFates(survivingPatches(threeLayers(), 2)),
              ElementsAre(kMerged, kMerged, kMerged, kMerged, kUntouched, kAbsorbed));
}

TEST(SurvivingPatches, SeveralSourcesShareADestination) {
  const std::vector<LayerTrace> layers{layer({0, 0, 0, 1}, {{0, 2, 0}, {1, 2, 0}})};
  EXPECT_THAT(survivingPatches(layers, 0), ElementsAre(2, 2, 2, 3));
}

TEST(SurvivingPatches, ADestinationMayItselfBeMergedInTheSameBlock) {
  const std::vector<LayerTrace> layers{layer({0, 0, 0}, {{0, 1, 0}, {1, 2, 0}})};
  EXPECT_THAT(survivingPatches(layers, 0), ElementsAre(2, 2, 2));
}

TEST(SurvivingPatches, WithoutMergesEveryPatchSurvives) {
  const std::vector<LayerTrace> layers{layer({0, 1, 2}, {}), layer({0, 1, 2}, {})};
  EXPECT_THAT(patchFates(survivingPatches(layers, 1)),
              ElementsAre(kUntouched, kUntouched, kUntouched));
}

TEST(SurvivingPatches, RejectWhatIsNoTrace) {
  EXPECT_THAT([] { survivingPatches(threeLayers(), 3); },
              ThrowsMessage<Error>(HasSubstr("layer 3 is out of range: the trace has 3 layers")));
  EXPECT_THAT([] { survivingPatches(threeLayers(), -1); },
              ThrowsMessage<Error>(HasSubstr("layer -1 is out of range")));
  const auto misfit = ThrowsMessage<Error>(HasSubstr("does not fit the one before it"));
  EXPECT_THAT([] { survivingPatches({layer({0, 1}, {{0, 7, 0}})}, 0); }, misfit);
  EXPECT_THAT([] { survivingPatches({layer({0, 1}, {{-1, 0, 0}})}, 0); }, misfit);
  EXPECT_THAT([] { survivingPatches({layer({0, 0}, {{0, 1, 0}, {1, 0, 0}})}, 0); }, misfit);
  EXPECT_THAT([] { survivingPatches({layer({0, 5}, {})}, 0); }, misfit);
  EXPECT_THAT([] { survivingPatches({layer({0, 1}, {}), layer({0}, {})}, 1); }, misfit);
  // Block 0 left one group, so block 1 cannot name a second.
  EXPECT_THAT(
      [] {
        survivingPatches({layer({0, 0}, {{0, 1, 0}}), layer({0, 0}, {{0, 1, 0}})}, 1);
      },
      misfit);
}

}  // namespace
}  // namespace adamerge
