// SPDX-License-Identifier: GPL-3.0-or-later
// What is known of one image's tokens on their way through the blocks, besides their values; and
// plans carried out on packed tokens: those of several images, or of several windows, that stand
// one below the other, `counts` of each.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "adamerge/flops.h"
#include "adamerge/result.h"
#include "merging/method.h"

namespace adamerge {

class ImageState {
 public:
  /// `trace`: also record groups, salience, merges and what was dropped in every block.
  ImageState(int prefix, int patches, bool trace);

  int tokens() const { return static_cast<int>(sizes_.size()); }
  int prefix() const { return prefix_; }
  /// Per position, how many patches the token stands for; a prefix token counts 1.
  const std::vector<float>& sizes() const { return sizes_; }
  bool anyMerged() const { return static_cast<int>(sizes_.size()) < initial_tokens_; }
  /// Patch -> position; -1 where its token was dropped and the plan named none that stands for it.
  const std::vector<int>& patchTokens() const { return patch_tokens_; }
  /// Patch -> whether its token stands for it: not once it was dropped.
  const std::vector<bool>& stands() const { return stands_; }
  /// Position -> the patch that it started as and kept in every merge as the destination; -1 for
  /// prefix tokens.
  const std::vector<int>& anchors() const { return anchors_; }

  /// The same tokens without what was recorded of them.
  ImageState tokensAlone() const;

  void beginBlock(int index);
  /// Throws FaultyPlan. `heads`: see checkPlan().
  void apply(const MergePlan& plan, int heads);
  /// The tokens inside a part that is restored after it (S3): a state of their own, that records
  /// nothing; this one keeps its tokens and its trace tells what `plan` says.
  ImageState enter(const MergePlan& plan, int heads);
  /// enter() was for a part that runs in windows of these rows and columns.
  void noteWindows(int rows, int columns, int padding);
  /// An attention in windows ran on so many tokens, padding with them.
  void noteWindowedAttention(const BlockWork& attention);
  /// `inside`: of the attention's inputs, where they are not this state's tokens.
  void noteAttention(const ImageState* inside = nullptr);
  /// The attention sees these keys alone: as MergePlan::keys. `masked`: the others are computed
  /// with and hidden.
  void noteKeys(const std::vector<std::vector<std::int64_t>>& keys, bool masked);
  /// After a block that ran on `inside`: what its parts ran on, and what it noted.
  void takeBack(ImageState& inside);
  /// Adds `weights` * `share`; `weights`: one per token, the class token's row of the attention.
  void noteClassAttention(std::span<const float> weights, float share);
  /// What `inside` noted of that.
  void takeClassAttention(ImageState& inside);
  void noteMlp() { noteMlp(tokens()); }
  void noteMlp(int tokens_inside) { work_.back().mlp_tokens = tokens_inside; }
  void endBlock();

  const std::vector<BlockWork>& work() const { return work_; }
  std::vector<LayerTrace> takeLayers() { return std::move(layers_); }

 private:
  void record(const MergePlan& plan);
  void recordDetail(const MergePlan& plan);
  /// Per patch: the value of its token; one for each patch token.
  template <typename Value>
  std::vector<Value> perPatch(const std::vector<Value>& values) const;
  void change(const MergePlan& plan);

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

/// Tokens of each of `images`.
std::vector<std::int64_t> countsOf(const std::vector<ImageState>& images);

/// Dense numbers in order of first appearance: {7, 3, 7} -> {0, 1, 0}.
std::vector<int> numberedByAppearance(const std::vector<int>& values);

/// The rows that `plans` leave of `tokens`.
at::Tensor applied(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                   const at::Tensor& tokens);

/// For each token the row of its group among the `plans`' new tokens. A dropped one that nobody
/// stands for has the first row of its image.
at::Tensor rowsBack(std::span<const MergePlan> plans, std::span<const std::int64_t> counts);

/// The tokens inside a block that is restored after it: M x, or means.
at::Tensor entered(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                   const at::Tensor& tokens);

/// What a block gave for the tokens inside it, `inside`, at all tokens again.
at::Tensor restored(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                    const at::Tensor& tokens, const at::Tensor& inside);

}  // namespace adamerge
