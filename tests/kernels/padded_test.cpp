// SPDX-License-Identifier: GPL-3.0-or-later
// What accelerators run for all segments at once, here on the CPU, against what the CPU runs one by
// one.
#include "kernels/padded.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/attention.h"

namespace adamerge {
namespace {

enum class PairBias { kNone, kShared, kOwn, kSome };

TEST(BatchedAttention, EqualsThatOfEachSegment) {
  constexpr std::int64_t kHeads = 4;
  constexpr std::int64_t kDim = 32;
  at::manual_seed(7);
  for (const std::vector<std::int64_t>& counts :
       {std::vector<std::int64_t>{9}, {20, 20, 20}, {20, 7, 1, 13}}) {
    std::int64_t total = 0;
    for (const std::int64_t count : counts) total += count;
    const at::Tensor qkv =
        at::randn({total, 3 * kDim + 5}, at::kDouble).narrow(1, 2, 3 * kDim);  // strided rows
    const at::Tensor shared = at::randn({kHeads, counts.front(), counts.front()});
    for (const bool sizes : {false, true}) {
      for (const PairBias pairs :
           {PairBias::kNone, PairBias::kShared, PairBias::kOwn, PairBias::kSome}) {
        SCOPED_TRACE(std::to_string(counts.size()) + " segments, pair bias " +
                     std::to_string(static_cast<int>(pairs)));
        std::vector<Segment> segments;
        for (const std::int64_t count : counts) {
          Segment segment{.tokens = count, .first_row = segments.size() % 2 == 0};
          // Only images that merged have sizes.
          for (std::int64_t k = 0; sizes && count > 7 && k < count; ++k) {
            segment.key_bias.push_back(std::log(1.0F + static_cast<float>(k % 3)));
          }
          if (pairs == PairBias::kShared && count == counts.front()) {
            segment.pair_bias = shared;
          } else if (pairs != PairBias::kNone &&
                     (pairs != PairBias::kSome || segments.size() == 1)) {
            segment.pair_bias = at::randn({kHeads, count, count});
          }
          segments.push_back(segment);
        }
        const AttentionOutput actual = batchedAttention(qkv, kHeads, segments);
        const AttentionOutput expected = plainAttention(qkv, kHeads, segments);
        EXPECT_TRUE(at::allclose(actual.mixed, expected.mixed, /*rtol=*/1e-6, /*atol=*/1e-6));
        ASSERT_EQ(actual.first_rows.size(), expected.first_rows.size());
        for (std::size_t i = 0; i < segments.size(); ++i) {
          ASSERT_EQ(actual.first_rows[i].size(), expected.first_rows[i].size());
          for (std::size_t k = 0; k < expected.first_rows[i].size(); ++k) {
            EXPECT_NEAR(actual.first_rows[i][k], expected.first_rows[i][k], 1e-5);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace adamerge
