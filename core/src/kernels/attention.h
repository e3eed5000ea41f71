// SPDX-License-Identifier: GPL-3.0-or-later
// Multi-head attention over packed tokens: each segment, mostly an image, attends to its own.
// logits = q k^T / sqrt(width) + key bias + pair bias, softmax over the keys, times v.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cpu/isa.h"

namespace adamerge {

struct Segment {
  std::int64_t tokens = 0;
  std::vector<float> key_bias = {};  ///< [tokens], added to each key's logits; empty: none
  at::Tensor pair_bias = {};  ///< [heads, tokens, tokens] fp32, query by key; undefined: none
  bool first_row = false;     ///< also tell where the first token looks
};

struct AttentionOutput {
  at::Tensor mixed;  ///< [total tokens, heads * width], of the qkv's type
  /// Per segment the first token's weights, mean over heads; empty where not asked for.
  std::vector<std::vector<float>> first_rows;
};

/// By LibTorch's own functions. `qkv`: [total tokens, 3 * heads * width], queries, keys, values;
/// its rows may be part of longer ones.
AttentionOutput plainAttention(const at::Tensor& qkv, std::int64_t heads,
                               std::span<const Segment> segments);

/// The same; on the CPU in fp32, and in bf16 where it has kernels, by one per segment and head that
/// writes no [tokens, tokens] matrix, whose bits depend on the segment alone. On accelerators
/// batchedAttention().
AttentionOutput attention(const at::Tensor& qkv, std::int64_t heads,
                          std::span<const Segment> segments, Isa isa = bestIsa());

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
