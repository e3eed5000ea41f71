// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/flops.h"

#include <vector>

namespace adamerge {
namespace {

constexpr double kGiga = 1e9;

double attentionMacs(double tokens, double dim) {
  return 4.0 * tokens * dim * dim + 2.0 * tokens * tokens * dim;
}

}  // namespace

Flops countFlops(const VitConfig& vit, std::span<const BlockWork> blocks) {
  const double dim = vit.dim;
  const double mlp_per_token = 2.0 * dim * vit.mlp_hidden;
  Flops flops;
  for (const BlockWork& block : blocks) {
    flops.paper += attentionMacs(block.tokens_in, dim) + block.tokens_in * mlp_per_token;
    flops.total += attentionMacs(block.attention_tokens, dim) + block.mlp_tokens * mlp_per_token +
                   block.method_macs;
  }
  const double patch_values = static_cast<double>(vit.channels) * vit.patch_size * vit.patch_size;
  const double head_inputs = vit.pooling == Pooling::kTokenAndAverage ? 2.0 * dim : dim;
  const double heads = vit.distillation_token ? 2.0 : 1.0;
  flops.total += vit.patchTokens() * patch_values * dim + heads * head_inputs * vit.classes;
  flops.paper /= kGiga;
  flops.total /= kGiga;
  return flops;
}

Flops unmergedFlops(const VitConfig& vit) {
  const int tokens = vit.prefixTokens() + vit.patchTokens();
  const std::vector<BlockWork> blocks(static_cast<std::size_t>(vit.depth),
                                      BlockWork{tokens, tokens, tokens, 0});
  return countFlops(vit, blocks);
}

}  // namespace adamerge
