// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/flops.h"

#include <vector>

#include "engine/windows.h"
#include "model/network.h"

namespace adamerge {
namespace {

constexpr double kGiga = 1e9;

/// What follows the blocks, for `tokens` that are left.
double poolingMacs(const VitConfig& vit, const MatrixEntries& entries, double tokens) {
  if (vit.pooling == Pooling::kSelfAttention) return 2 * tokens * tokens * vit.dim;
  if (vit.pooling != Pooling::kAttention) return 0;
  const AttentionPool& pool = vit.attention_pool;
  const double keys = pool.prefix ? tokens : tokens - vit.prefixTokens();
  return pool.queries * entries.pool_queries + keys * entries.pool_tokens +
         2.0 * pool.queries * keys * pool.width;
}

}  // namespace

Flops countFlops(const VitConfig& vit, std::span<const BlockWork> blocks) {
  const MatrixEntries entries = matrixEntries(vit);
  // Logits and their product with the values, in each attention of a block.
  const double per_pair = 2.0 * vit.dim * vit.branches;
  // Two products for each element of a query and of a key.
  const double per_rotation = vit.isRotary() ? 4.0 * vit.dim : 0;
  Flops flops;
  // Of a token: its key and its value; the attention's output.
  const double key_value = 2.0 * vit.dim * vit.dim * vit.branches;
  const double projection = key_value / 2;
  for (const BlockWork& block : blocks) {
    const double in = block.tokens_in;
    const double attending = block.attention_tokens;
    const double projected = block.projected_tokens.value_or(block.attention_tokens);
    // What is restored, and all that is really computed: the tokens of each part.
    const double parts = attending * (entries.attention - projection) + projected * projection +
                         block.mlp_tokens * entries.mlp;
    const double pairs = block.pairs.value_or(attending * attending);
    if (block.restored) {
      flops.paper += parts + pairs * per_pair;
    } else {
      const double keys = block.keys.value_or(in);
      flops.paper += in * (entries.attention - key_value + entries.mlp) + keys * key_value +
                     in * keys * per_pair;
    }
    const double seen = block.masked ? attending : block.keys.value_or(attending);
    flops.total += parts + block.pairs.value_or(attending * seen) * per_pair + block.relative_macs +
                   (attending - vit.prefixTokens()) * per_rotation + block.method_macs;
  }
  const double patch_values = static_cast<double>(vit.channels) * vit.patch_size * vit.patch_size;
  const int last =
      blocks.empty() ? vit.prefixTokens() + vit.patchTokens() : blocks.back().tokens_out;
  flops.total += vit.patchTokens() * patch_values * vit.dim + poolingMacs(vit, entries, last) +
                 entries.head + vit.patchTokens() * entries.neck;
  flops.paper /= kGiga;
  flops.total /= kGiga;
  return flops;
}

Flops unmergedFlops(const VitConfig& vit) {
  const int tokens = vit.prefixTokens() + vit.patchTokens();
  std::vector<BlockWork> blocks(static_cast<std::size_t>(vit.depth),
                                BlockWork{tokens, tokens, tokens, 0, tokens});
  for (std::size_t index = 0; index < vit.windows.sides.size(); ++index) {
    const WindowGrid grid = windowsOf(vit, vit.windows.sides[index]);
    std::vector<std::int64_t> whole;
    for (const Window& window : grid.windows) whole.push_back(window.rows * window.columns);
    blocks[index] = windowedWork(vit, grid, whole);
    blocks[index].tokens_in = blocks[index].mlp_tokens = blocks[index].tokens_out = tokens;
    blocks[index].restored = true;
  }
  return countFlops(vit, blocks);
}

}  // namespace adamerge
