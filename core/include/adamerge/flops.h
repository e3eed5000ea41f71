// SPDX-License-Identifier: GPL-3.0-or-later
// FLOPs as the token-merging papers count them: multiply-accumulates, one MAC = one FLOP, in G.
#pragma once

#include <optional>
#include <span>

#include "adamerge/model_info.h"
#include "adamerge/result.h"

namespace adamerge {

/// Token counts at the places of one block where they can differ, prefix included.
struct BlockWork {
  int tokens_in = 0;         ///< on entry, before the block's own merge
  int attention_tokens = 0;  ///< that the attention makes queries, keys and values of
  int mlp_tokens = 0;        ///< seen by the MLP
  double method_macs = 0;    ///< the method's own matrix products
  int tokens_out = 0;        ///< left after the block, which attention pooling reads
  /// That the attention's output is projected for; not set: attention_tokens.
  std::optional<int> projected_tokens = std::nullopt;
  /// Keys that a query sees, mean over heads, where not all; `masked`: the others were computed
  /// with and hidden, so `total` counts all.
  std::optional<double> keys = std::nullopt;
  bool masked = false;
  /// Pairs of queries and keys; not set: attention_tokens squared. Windows have their own.
  std::optional<double> pairs = std::nullopt;
  double relative_macs = 0;  ///< products of queries with relative positions
  /// All tokens were restored after the part, so that the count on entry never falls: `paper` too
  /// counts the tokens inside, part by part.
  bool restored = false;
};

/// With W the entries of all matrices of a block's attentions and MLPs and a the attentions' width:
/// `paper` is the sum over blocks of N W + 2 N^2 a with N = tokens_in (for a plain ViT
/// 4 N d^2 + 2 N^2 d + 2 m N d^2); no patch embedding, pooling, head or merging. Where a block sees
/// t keys, `paper` counts keys, values and pairs at t (2 N d^2 + 2 t d^2 + 2 N t d). `total`: all
/// matrix products, at the tokens each part really sees, and the rotation of queries and keys.
/// `blocks` has one entry per block.
Flops countFlops(const VitConfig& vit, std::span<const BlockWork> blocks);

/// The model without merging.
Flops unmergedFlops(const VitConfig& vit);

}  // namespace adamerge
