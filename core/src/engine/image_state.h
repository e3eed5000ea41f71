// SPDX-License-Identifier: GPL-3.0-or-later
// What is known of one image's tokens on their way through the blocks, besides their values.
#pragma once

#include <span>
#include <vector>

#include "adamerge/flops.h"
#include "adamerge/result.h"
#include "merging/plan.h"

namespace adamerge {

class ImageState {
 public:
  /// `trace`: also record groups, salience and merges of every block.
  ImageState(int prefix, int patches, bool trace);

  int tokens() const { return static_cast<int>(sizes_.size()); }
  int prefix() const { return prefix_; }
  /// Per position, how many patches the token stands for; a prefix token counts 1.
  const std::vector<float>& sizes() const { return sizes_; }
  bool anyMerged() const { return static_cast<int>(sizes_.size()) < initial_tokens_; }
  /// Patch -> position.
  const std::vector<int>& patchTokens() const { return patch_tokens_; }
  /// Patch -> whether its token stands for it: not once it was dropped.
  const std::vector<bool>& stands() const { return stands_; }
  /// Position -> the patch that it started as and kept in every merge as the destination; -1 for
  /// prefix tokens.
  const std::vector<int>& anchors() const { return anchors_; }

  void beginBlock(int index);
  void apply(const MergePlan& plan);
  void noteAttention() { work_.back().attention_tokens = tokens(); }
  /// `weights`: one per token, the class token's row of the attention.
  void noteClassAttention(std::span<const float> weights);
  void noteMlp() { work_.back().mlp_tokens = tokens(); }
  void endBlock();

  const std::vector<BlockWork>& work() const { return work_; }
  std::vector<LayerTrace> takeLayers() { return std::move(layers_); }

 private:
  void recordDetail(const MergePlan& plan);

  int prefix_;
  int initial_tokens_;
  bool trace_;
  std::vector<float> sizes_;
  std::vector<int> patch_tokens_;
  std::vector<bool> stands_;
  std::vector<int> anchors_;
  std::vector<LayerTrace> layers_;
  std::vector<BlockWork> work_;
};

/// Dense numbers in order of first appearance: {7, 3, 7} -> {0, 1, 0}.
std::vector<int> numberedByAppearance(const std::vector<int>& values);

}  // namespace adamerge
