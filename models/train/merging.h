// SPDX-License-Identifier: GPL-3.0-or-later
// Merging that gradients go through, for networks that are to run with it (ToMe, Sec. 4.3).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace adamerge::training {

/// ToMe in every block, between attention and MLP, with proportional attention.
struct TokenMerging {
  std::int64_t r = 0;  ///< patch tokens that merge in a block, at most half of those left
  /// Per block what is added to the weight that makes queries, keys and values; empty: nothing.
  std::vector<at::Tensor> qkv_changes = {};
};

/// Tokens of a batch whose images all merge the same number of them.
struct MergedTokens {
  at::Tensor tokens;  ///< [batch, N, dim]
  at::Tensor sizes;   ///< [batch, N], fp32: patches per token; undefined: nothing has merged
};

/// ToMe's matching as the engine has it: even positions into odd ones by the cosine of `keys`
/// [batch, N, d], the `count` best, at most half of the patch tokens; one prefix token, which
/// stays. Size-weighted means. Gradients go through the means, not through the choice.
void mergeSimilar(MergedTokens& tokens, const at::Tensor& keys, std::int64_t count,
                  std::int64_t prefix);

}  // namespace adamerge::training
