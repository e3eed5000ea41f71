// SPDX-License-Identifier: GPL-3.0-or-later
// Attention against loops in fp64, with and without a bias on keys and on pairs, for every
// instruction set that this machine has.
#include "kernels/attention.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <numeric>

#include "kernel_kinds.h"

namespace adamerge {
namespace {

class Attention : public Kernels {
 protected:
  double near() const { return half() ? 0.02 : 3e-6; }
};
INSTANTIATE_TEST_SUITE_P(Isas, Attention, testing::ValuesIn(kinds()), nameOf);

const std::vector<std::pair<int, int>> kHeadsAndWidths = {
    {3, 64}, {1, 16}, {2, 33}, {2, 80}, {1, 7}, {2, 8}, {3, 12}, {2, 18}, {1, 130}};

/// Of one head, by the formula: q [Q, width], k and v [n, width], bias [Q, n], all fp64.
/// `first_row`: gets the first query's weights.
at::Tensor headByLoops(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                       const at::Tensor& bias, std::vector<double>& first_row) {
  const at::Tensor result = at::zeros({q.size(0), q.size(1)}, at::kDouble);
  auto out = result.accessor<double, 2>();
  const auto queries = q.accessor<double, 2>();
  const auto keys = k.accessor<double, 2>();
  const auto values = v.accessor<double, 2>();
  const auto biases = bias.accessor<double, 2>();
  for (std::int64_t i = 0; i < q.size(0); ++i) {
    std::vector<double> weights(static_cast<std::size_t>(k.size(0)));
    for (std::int64_t j = 0; j < k.size(0); ++j) {
      double dot = 0;
      for (std::int64_t c = 0; c < q.size(1); ++c) dot += queries[i][c] * keys[j][c];
      weights[j] = dot / std::sqrt(static_cast<double>(q.size(1))) + biases[i][j];
    }
    const double top = *std::max_element(weights.begin(), weights.end());
    for (double& weight : weights) weight = std::exp(weight - top);
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::int64_t j = 0; j < k.size(0); ++j) {
      weights[j] /= sum;
      for (std::int64_t c = 0; c < q.size(1); ++c) out[i][c] += weights[j] * values[j][c];
    }
    if (i == 0) first_row = weights;
  }
  return result;
}

struct Expected {
  at::Tensor mixed;
  std::vector<std::vector<double>> first_rows;
};

Expected byLoops(const at::Tensor& qkv, std::int64_t heads, const std::vector<Segment>& segments) {
  const at::Tensor parts = qkv.to(at::kDouble).reshape({qkv.size(0), 3, heads, -1});
  Expected expected;
  std::vector<at::Tensor> mixed;
  std::int64_t offset = 0;
  for (const Segment& segment : segments) {
    const at::Tensor own = parts.narrow(0, offset, segment.tokens);
    std::vector<at::Tensor> of_heads;
    std::vector<double> mean(static_cast<std::size_t>(segment.tokens), 0.0);
    for (std::int64_t head = 0; head < heads; ++head) {
      at::Tensor bias = at::zeros({segment.tokens, segment.tokens}, at::kDouble);
      if (!segment.key_bias.empty()) bias = bias + at::tensor(segment.key_bias);
      if (segment.pair_bias.defined()) bias = bias + segment.pair_bias[head];
      std::vector<double> row;
      of_heads.push_back(headByLoops(own.select(1, 0).select(1, head),
                                     own.select(1, 1).select(1, head),
                                     own.select(1, 2).select(1, head), bias, row));
      for (std::size_t i = 0; i < row.size(); ++i) {
        mean[i] += row[i] / static_cast<double>(heads);
      }
    }
    mixed.push_back(at::cat(of_heads, 1));
    expected.first_rows.push_back(mean);
    offset += segment.tokens;
  }
  expected.mixed = at::cat(mixed);
  return expected;
}

std::vector<float> someKeyBias(std::int64_t tokens) {
  std::vector<float> bias;
  for (std::int64_t i = 0; i < tokens; ++i) {
    bias.push_back(std::log(1.0F + static_cast<float>(i % 4)));
  }
  return bias;
}

/// Of all kinds of lengths, packed one below the other: without bias, with one on keys, on pairs,
/// and on both.
std::vector<Segment> someSegments(std::int64_t heads) {
  std::vector<Segment> segments;
  for (const std::int64_t tokens : {1, 2, 5, 16, 17, 32, 33, 64, 65, 97, 197, 100}) {
    Segment segment;
    segment.tokens = tokens;
    segment.first_row = tokens % 2 == 1;
    if (segments.size() % 2 == 1) segment.key_bias = someKeyBias(tokens);
    if (segments.size() % 4 > 1) segment.pair_bias = 2 * at::randn({heads, tokens, tokens});
    segments.push_back(segment);
  }
  return segments;
}

std::int64_t totalTokens(const std::vector<Segment>& segments) {
  return std::accumulate(segments.begin(), segments.end(), std::int64_t{0},
                         [](std::int64_t sum, const Segment& s) { return sum + s.tokens; });
}

void expectNear(const AttentionOutput& output, const std::vector<Segment>& segments,
                const Expected& expected, double near, double row_near) {
  EXPECT_LT(largestDifference(output.mixed, expected.mixed), near);
  ASSERT_EQ(output.first_rows.size(), segments.size());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!segments[i].first_row) {
      EXPECT_TRUE(output.first_rows[i].empty());
      continue;
    }
    ASSERT_EQ(output.first_rows[i].size(), expected.first_rows[i].size());
    for (std::size_t k = 0; k < output.first_rows[i].size(); ++k) {
      EXPECT_NEAR(output.first_rows[i][k], expected.first_rows[i][k], row_near);
    }
  }
}

TEST_P(Attention, EqualsLoopsWithEveryBias) {
  for (const auto& [heads, width] : kHeadsAndWidths) {
    SCOPED_TRACE(std::to_string(heads) + " heads of " + std::to_string(width));
    const std::vector<Segment> segments = someSegments(heads);
    const at::Tensor qkv = random({totalTokens(segments), 3 * heads * width});
    const Expected expected = byLoops(qkv, heads, segments);
    const AttentionOutput output = attention(qkv, heads, segments, isa());
    EXPECT_EQ(output.mixed.scalar_type(), dtype());
    expectNear(output, segments, expected, near(), half() ? 2e-4 : 1e-6);
  }
}

TEST(PlainAttention, EqualsLoopsWithEveryBias) {
  at::manual_seed(7);
  for (const auto& [heads, width] : kHeadsAndWidths) {
    const std::vector<Segment> segments = someSegments(heads);
    const at::Tensor qkv = at::randn({totalTokens(segments), 3 * heads * width}, at::kDouble);
    expectNear(plainAttention(qkv, heads, segments), segments, byLoops(qkv, heads, segments), 1e-7,
               1e-6);
  }
}

TEST_P(Attention, TakesRowsThatArePartOfLongerOnes) {
  const std::vector<Segment> segments = someSegments(3);
  const at::Tensor rows = random({totalTokens(segments), 5 + 3 * 3 * 12 + 40});
  const at::Tensor part = rows.narrow(1, 5, 3 * 3 * 12);
  EXPECT_TRUE(at::equal(attention(part, 3, segments, isa()).mixed,
                        attention(part.contiguous(), 3, segments, isa()).mixed));
}

TEST_P(Attention, TakesAPairBiasOfAnyLayout) {
  const at::Tensor qkv = random({20, 3 * 2 * 8});
  const at::Tensor bias = at::randn({2, 20, 20});
  const Segment adjacent{.tokens = 20, .pair_bias = bias};
  const AttentionOutput expected = attention(qkv, 2, {&adjacent, 1}, isa());
  const at::Tensor longer = at::randn({2, 20, 31});
  longer.narrow(2, 3, 20).copy_(bias);
  for (const at::Tensor& view : {bias.transpose(1, 2).contiguous().transpose(1, 2),
                                 longer.narrow(2, 3, 20), bias.to(at::kDouble)}) {
    const Segment segment{.tokens = 20, .pair_bias = view};
    EXPECT_TRUE(at::equal(attention(qkv, 2, {&segment, 1}, isa()).mixed, expected.mixed));
  }
}

TEST_P(Attention, AnOtherwiseEmptyBiasChangesNextToNothing) {
  const at::Tensor qkv = random({50, 3 * 2 * 16});
  const Segment without{.tokens = 50};
  const Segment zeros{
      .tokens = 50, .key_bias = std::vector<float>(50, 0.0F), .pair_bias = at::zeros({2, 50, 50})};
  EXPECT_LT(largestDifference(attention(qkv, 2, {&zeros, 1}, isa()).mixed,
                              attention(qkv, 2, {&without, 1}, isa()).mixed),
            half() ? 0.02 : 1e-6);
}

TEST_P(Attention, OfASegmentIsTheSameAloneAndOnAnyNumberOfThreads) {
  const int before = at::get_num_threads();
  const std::vector<Segment> segments = someSegments(3);
  const at::Tensor qkv = random({totalTokens(segments), 3 * 3 * 64});
  at::set_num_threads(1);
  const AttentionOutput together = attention(qkv, 3, segments, isa());
  for (const int threads : {1, 2, 4}) {
    at::set_num_threads(threads);
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const std::int64_t tokens = segments[i].tokens;
      const AttentionOutput alone =
          attention(qkv.narrow(0, offset, tokens), 3, {&segments[i], 1}, isa());
      EXPECT_TRUE(at::equal(alone.mixed, together.mixed.narrow(0, offset, tokens))) << i;
      EXPECT_EQ(alone.first_rows.front(), together.first_rows[i]) << i;
      offset += tokens;
    }
  }
  at::set_num_threads(before);
}

TEST_P(Attention, SurvivesLogitsOfAnySize) {
  at::Tensor qkv = random({40, 3 * 32}) * 300;
  const Segment segment{.tokens = 40, .first_row = true};
  const AttentionOutput exact = plainAttention(qkv.to(at::kDouble), 1, {&segment, 1});
  const AttentionOutput result = attention(qkv, 1, {&segment, 1}, isa());
  EXPECT_TRUE(result.mixed.isfinite().all().item<bool>());
  // Logits of 1e5 in fp32 are known to some hundredths.
  EXPECT_LT(largestDifference(result.mixed, exact.mixed), 30);
  EXPECT_NEAR(std::accumulate(result.first_rows[0].begin(), result.first_rows[0].end(), 0.0), 1,
              1e-5);
}

TEST_P(Attention, OfPoolingQueriesEqualsLoopsOnAnyNumberOfThreads) {
  const int before = at::get_num_threads();
  for (const auto& [heads, width] : kHeadsAndWidths) {
    for (const std::int64_t queries : {1, 2, 7, 40, 130}) {
      for (const std::int64_t keys : {1, 5, 17, 197}) {
        const bool biased = keys % 2 == 1 && queries % 2 == 1;
        SCOPED_TRACE(std::to_string(queries) + " queries, " + std::to_string(keys) + " keys, " +
                     std::to_string(heads) + " heads of " + std::to_string(width));
        const at::Tensor q = random({queries, heads * width});
        const at::Tensor kv = random({keys, 2 * heads * width});
        const at::Tensor k = kv.narrow(1, 0, heads * width);
        const at::Tensor v = kv.narrow(1, heads * width, heads * width);
        const std::vector<float> key_bias = biased ? someKeyBias(keys) : std::vector<float>();
        at::set_num_threads(1);
        const at::Tensor pooled = pooledAttention(q, k, v, heads, key_bias, isa());
        EXPECT_EQ(pooled.scalar_type(), dtype());
        at::set_num_threads(3);
        EXPECT_TRUE(
            at::equal(pooledAttention(q, k, v.contiguous(), heads, key_bias, isa()), pooled));
        at::Tensor bias = at::zeros({queries, keys}, at::kDouble);
        if (biased) bias = bias + at::tensor(key_bias);
        std::vector<double> row;
        std::vector<at::Tensor> exact;
        for (std::int64_t head = 0; head < heads; ++head) {
          const auto of = [&, w = std::int64_t{width}](const at::Tensor& x) {
            return x.narrow(1, head * w, w).to(at::kDouble);
          };
          exact.push_back(headByLoops(of(q), of(k), of(v), bias, row));
        }
        EXPECT_LT(largestDifference(pooled, at::cat(exact, 1)), near());
        EXPECT_LT(largestDifference(plainPooledAttention(q.to(at::kDouble), k.to(at::kDouble),
                                                         v.to(at::kDouble), heads, key_bias),
                                    at::cat(exact, 1)),
                  1e-7);
      }
    }
  }
  at::set_num_threads(before);
}

}  // namespace
}  // namespace adamerge
