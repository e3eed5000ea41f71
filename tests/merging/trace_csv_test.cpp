// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "adamerge/report.h"
#include "error_message.h"

namespace adamerge {
namespace {

/// Four patches; 1 goes into 0, then that token into what was patch 3.
ImageResult sampleResult() {
  ImageResult result;
  LayerTrace first;
  first.tokens_in = 5;
  first.tokens_out = 4;
  first.merged = 1;
  first.redundancy = 0.25;
  first.mu = std::numeric_limits<double>::quiet_NaN();
  first.z = -1.5;
  first.groups = {0, 0, 1, 2};
  first.merges = {{1, 0, 0.5F}};
  LayerTrace second;
  second.index = 1;
  second.tokens_in = 4;
  second.tokens_out = 3;
  second.merged = 1;
  second.groups = {0, 0, 1, 0};
  second.merges = {{0, 2, 0.125F}};
  LayerTrace third;
  third.index = 2;
  third.tokens_in = 3;
  third.tokens_out = 2;
  third.merged = 1;
  third.groups = {0, 0, 0, 0};
  third.merges = {{1, 0, 0.75F}};
  result.layers = {first, second, third};
  return result;
}

TEST(TraceCsv, HasARowForEveryBlock) {
  EXPECT_EQ(traceCsv(sampleResult()),
            "block,tokens_in,tokens_out,merged,redundancy,mu,sigma,z\r\n"
            "1,5,4,1,0.25,,,-1.5\r\n"
            "2,4,3,1,,,,\r\n"
            "3,3,2,1,,,,\r\n");
}

TEST(TraceCsv, OfMergesNamesThePatchesWhoseTokensMerge) {
  EXPECT_EQ(mergesCsv(sampleResult()),
            "block,source_group,destination_group,source_patch,destination_patch,similarity\r\n"
            "1,1,0,1,0,0.5\r\n"
            "2,0,2,0,3,0.125\r\n"
            "3,1,0,2,3,0.75\r\n");
}

TEST(TraceCsv, IsOnlyAHeadWithoutBlocksOrTracing) {
  EXPECT_EQ(mergesCsv({}),
            "block,source_group,destination_group,source_patch,destination_patch,similarity\r\n");
  ImageResult result = sampleResult();
  for (LayerTrace& layer : result.layers) {
    layer.groups.clear();
    layer.merges.clear();
  }
  EXPECT_EQ(mergesCsv(result), mergesCsv({}));
}

TEST(TraceCsv, RefusesATraceThatContradictsItself) {
  ImageResult result = sampleResult();
  result.layers[1].merges[0].source = 9;
  EXPECT_THAT(test::errorMessage([&] { mergesCsv(result); }),
              testing::HasSubstr("the trace of layer 1 does not fit the one before it"));
}

}  // namespace
}  // namespace adamerge
