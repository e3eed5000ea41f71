// SPDX-License-Identifier: GPL-3.0-or-later
// Merging that gradients go through, for networks that are to run with it (ToMe, Sec. 4.3). Which
// tokens merge the core's methods say, with their numbers as they are; gradients go through the
// means, not through the choice nor the weights.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "merging/method.h"

namespace adamerge::training {

/// What merges while a network runs.
struct TokenMerging {
  const MergeMethod* method = nullptr;  ///< null: nothing merges
  /// Per block what is added to the weight that makes queries, keys and values; empty: nothing.
  std::vector<at::Tensor> qkv_changes = {};
};

/// Throws Error, naming `label`, for a method that training cannot go through: one that does more
/// than average or drop tokens for good, or decides by more than the tokens tell.
void requireTrainable(const MergeMethod& method, const VitConfig& vit, const std::string& label);

/// ToMe with `r` merges in every block.
std::unique_ptr<const MergeMethod> toMe(std::int64_t r, const VitConfig& vit);

/// Tokens of a batch. Images of fewer than the others are filled up with rows that nobody reads.
class MergedTokens {
 public:
  /// `tokens` [batch, prefix + patches, dim]; `kept` [batch, patches], int64: which patches of the
  /// grid of `grid` they are; undefined: all.
  MergedTokens(const at::Tensor& tokens, std::int64_t prefix, int grid, const at::Tensor& kept);

  /// The method's plans for this block, carried out on `values`. `keys` [batch, N, d]: their mean
  /// over the heads, where the method reads them. Throws Error: tokens are not finite, FaultyPlan.
  void merge(const MergeMethod& method, int block, const at::Tensor& keys, std::int64_t heads);

  /// [batch, 1, 1, N] fp32, to be added to the attention's logits: log(size) of each token where
  /// `proportional`, and what hides the rows that fill up. Undefined: nothing.
  at::Tensor logitBias(bool proportional) const;

  at::Tensor values;  ///< [batch, N, dim]

 private:
  struct Image {
    std::vector<float> sizes;       ///< patches per token
    std::vector<int> patch_tokens;  ///< patch of the grid -> position; -1: it did not enter
    std::unique_ptr<MethodMemory> memory;
    std::int64_t count() const { return static_cast<std::int64_t>(sizes.size()); }
  };
  void begin();
  void carryOut(std::span<const MergePlan> plans);

  std::int64_t prefix_;
  int grid_;
  at::Tensor kept_;
  bool merged_ = false;
  std::vector<Image> images_;  ///< empty until a method is asked
};

}  // namespace adamerge::training
