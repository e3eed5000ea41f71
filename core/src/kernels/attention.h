// SPDX-License-Identifier: GPL-3.0-or-later
// Multi-head attention over packed tokens: each segment, mostly an image, attends to its own.
// logits = q k^T / sqrt(width) + key bias + pair bias, softmax over the keys, times v.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/cpu/isa.h"

namespace adamerge {

/// Where a segment's tokens lie in a window, which adds to the logits of query i and key j
/// q_i . rows[a - b + height - 1] + q_i . columns[c - d + width - 1], of places (a, c) and (b, d),
/// the mean over all pairs of the places that the two tokens stand for (decomposed relative
/// positions).
struct RelativePlaces {
  /// Token t lies in places[starts[t]] ... places[starts[t + 1] - 1], shares of 1 each.
  struct Axis {
    std::vector<std::int32_t> starts, places;
    std::vector<float> shares;
  };

  std::int64_t height = 0;
  std::int64_t width = 0;
  at::Tensor tables;   ///< [2 height - 1 + 2 width - 1, head's width], rows first, of qkv's type
  Axis rows, columns;  ///< empty: the tokens fill the window in raster order

  bool whole() const { return rows.starts.empty(); }
};

struct Segment {
  std::int64_t tokens = 0;
  std::vector<float> key_bias = {};  ///< [tokens], added to each key's logits; empty: none
  at::Tensor pair_bias = {};  ///< [heads, tokens, tokens] fp32, query by key; undefined: none
  bool first_row = false;     ///< also tell where the first token looks
  bool received = false;      ///< also tell what each key receives
  /// The keys that are seen, ascending, as positions in the segment. Empty: all. One list: the same
  /// for all heads; else one a head.
  std::vector<std::vector<std::int64_t>> keys = {};
  /// Not with keys, pair_bias, first_row or received. Null: positions add nothing.
  std::shared_ptr<const RelativePlaces> places = nullptr;
};

struct AttentionOutput {
  at::Tensor mixed;  ///< [total tokens, heads * width], of the qkv's type
  /// Per segment the first token's weights, mean over heads; empty where not asked for.
  std::vector<std::vector<float>> first_rows;
  /// Per segment [heads, tokens] fp32 on the CPU: each key's weight, mean over all queries, 0 for
  /// a key that its head does not see; undefined where not asked for.
  std::vector<at::Tensor> received;
};

/// What a segment's positions add to the logits of one head, [queries, tokens]; `queries` [queries,
/// head's width], of its tokens from `first` on. In their type, where they are.
at::Tensor placeBias(const at::Tensor& queries, const RelativePlaces& places,
                     std::int64_t first = 0);

/// Whether attention() leaves out keys that are not seen, instead of computing with them and hiding
/// them.
bool skipsUnseenKeys(const at::Tensor& qkv, Isa isa = bestIsa());

/// What is added to the logits of a segment's keys so that only those that are seen count: 0 and
/// -infinity, [1 or heads, 1, tokens] fp32 on the CPU. The segment's `keys` are not empty.
at::Tensor hiddenKeys(const Segment& segment);

/// The softmax that a segment's heads multiply their values with, [heads, tokens, tokens], query by
/// key, of the qkv's type; `qkv` [tokens, 3 * heads * width] as plainAttention's.
at::Tensor attentionWeights(const at::Tensor& qkv, std::int64_t heads, const Segment& segment);
/// Of one head, [tokens, tokens].
at::Tensor attentionWeightsOf(std::int64_t head, const at::Tensor& qkv, std::int64_t heads,
                              const Segment& segment);

/// Of one head of a segment with places, or without, the softmax of `count` queries from `first`
/// on, [count, tokens].
at::Tensor placedWeights(const at::Tensor& qkv, std::int64_t heads, const Segment& segment,
                         std::int64_t head, std::int64_t first, std::int64_t count);

/// What products of queries and keys are multiplied by.
inline double attentionScale(std::int64_t width) {
  return 1.0 / std::sqrt(static_cast<double>(width));
}

/// One segment with places, by LibTorch's own functions, [tokens, heads * width]; no more than one
/// head's logits at a time.
at::Tensor placedAttention(const at::Tensor& qkv, std::int64_t heads, const Segment& segment);

/// By LibTorch's own functions. `qkv`: [total tokens, 3 * heads * width], queries, keys, values;
/// its rows may be part of longer ones.
AttentionOutput plainAttention(const at::Tensor& qkv, std::int64_t heads,
                               std::span<const Segment> segments);

/// The same; on the CPU in fp32, and in bf16 where it has kernels, by one per segment and head that
/// writes no [tokens, tokens] matrix, whose bits depend on the segment alone. On accelerators
/// batchedAttention().
AttentionOutput attention(const at::Tensor& qkv, std::int64_t heads,
                          std::span<const Segment> segments, Isa isa = bestIsa());

/// attention() of all segments at once, those of fewer tokens padded, by the fused kernels of
/// LibTorch 2.x: for accelerators, which it waits for only where first rows are wanted, once.
AttentionOutput batchedAttention(const at::Tensor& qkv, std::int64_t heads,
                                 std::span<const Segment> segments);

/// Queries [Q, heads * width] that are not among the keys and values [n, heads * width], as a
/// pooling head has them: [Q, heads * width], of q's type. `key_bias`: [n] or empty. By LibTorch's
/// own functions.
at::Tensor plainPooledAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                std::int64_t heads, std::span<const float> key_bias);
/// The same; where attention() has a kernel, by it, else plain.
at::Tensor pooledAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           std::int64_t heads, std::span<const float> key_bias = {},
                           Isa isa = bestIsa());

}  // namespace adamerge
