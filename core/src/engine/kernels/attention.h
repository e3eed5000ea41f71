// SPDX-License-Identifier: GPL-3.0-or-later
// Multi-head self-attention over packed tokens: each image attends to its own.
#pragma once

#include <ATen/ATen.h>

#include <span>
#include <vector>

#include "engine/kernels/isa.h"

namespace adamerge {

struct AttentionImage {
  std::int64_t tokens = 0;
  std::vector<float> log_sizes;  ///< [tokens], added to each key's logits; empty: none
  bool first_row = false;        ///< also tell where the first token looks
};

struct AttentionOutput {
  at::Tensor mixed;  ///< [total tokens, heads * width], of the qkv's type
  /// Per image the first token's weights, mean over heads; empty where not asked for.
  std::vector<std::vector<float>> first_rows;
};

/// By LibTorch's own functions. `qkv`: [total tokens, 3 * heads * width], queries, keys, values.
AttentionOutput plainAttention(const at::Tensor& qkv, std::int64_t heads,
                               std::span<const AttentionImage> images);

/// The same for all images at once, those of fewer tokens padded, by the fused kernels of LibTorch
/// 2.x: for accelerators, which it waits for only where first rows are wanted, once.
AttentionOutput batchedAttention(const at::Tensor& qkv, std::int64_t heads,
                                 std::span<const AttentionImage> images);

/// The same; on the CPU in fp32, and in bf16 with AMX, a kernel per image and head that writes no
/// [tokens, tokens] matrix, whose bits depend on the image alone.
AttentionOutput attention(const at::Tensor& qkv, std::int64_t heads,
                          std::span<const AttentionImage> images, Isa isa = bestIsa());

}  // namespace adamerge
