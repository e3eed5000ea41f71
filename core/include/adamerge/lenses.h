// SPDX-License-Identifier: GPL-3.0-or-later
// What a run holds inside: where tokens look, what their features are, what merging changed. One
// image each; n patches on the grid in raster order, `prefix` class and register tokens before
// them, N tokens in a block, D the width. Spec: docs/lenses.md; rollout: Abnar and Zuidema,
// "Quantifying Attention Flow in Transformers" (arXiv 2005.00928), through merges ours.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "adamerge/engine.h"

namespace adamerge {

/// The tokens of a moment of a run.
struct TokenMembership {
  std::vector<int> groups;   ///< per patch the position of its token; -1: its token was dropped
  std::vector<float> sizes;  ///< [N] patches that each stands for, dropped ones not; prefix: 1
};

/// The softmax that a block multiplies with its values, biases and sizes included; rows sum to 1.
struct AttentionMaps {
  int block = 0;
  int grid_width = 0;
  int heads = 0;  ///< of parallel branches the heads of the first, then of the second
  int tokens = 0;
  int prefix = 0;
  std::vector<float> weights;  ///< [heads, tokens, tokens], query by key; 0 for a pruned key
  TokenMembership seen;        ///< of the block's attention tokens
};

/// Principal components of a block's patch features, to be held for other runs of the image.
struct ComponentBasis {
  std::vector<float> vectors;          ///< [3, D], 0 where there is no such component
  std::vector<float> mean;             ///< [D]
  std::array<float, 3> low{}, high{};  ///< 1st and 99th percentile of the run's own scores
};

/// How far merging moved the patches of a block.
struct FeatureChange {
  std::vector<float> patches;  ///< [n], 1 - cosine, 0...2
  double mean = 0;
  double worst = 0;  ///< the worst tenth: 90th percentile
};

/// What Engine::run kept of one image with RunOptions::record: what each block's attention reads
/// and the residual stream after it, 2 * blocks * N * D numbers. Never changes; may be shared by
/// threads, outlives its engine. All that computes runs on the engine's device.
class Recording {
 public:
  struct State;  ///< the engine's own: engine/vit.h
  explicit Recording(std::unique_ptr<const State> state);
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording();

  int blocks() const;
  int heads() const;  ///< of a block, as AttentionMaps counts them
  int prefix() const;
  bool hasClassToken() const;
  int gridHeight() const;
  int gridWidth() const;
  int patches() const { return gridHeight() * gridWidth(); }
  int width() const;  ///< D
  std::size_t bytes() const;

  TokenMembership attentionTokens(int block) const;
  /// Per patch the position of its token after the block; -1: dropped.
  std::vector<int> groupsAfter(int block) const;
  /// Computed again from the block's input; heads * N * N numbers, of this block alone. Throws
  /// Error: out of memory, Cancelled.
  AttentionMaps attention(int block, const std::stop_token& stop = {}) const;
  /// [n, D] fp32: the residual stream after the block and its merges, without the final norm, each
  /// patch with its token's row; a dropped one with that of the token that stands for it.
  std::vector<float> features(int block) const;
  /// What the model's dense head says of the run's result; nullptr: it has none.
  std::shared_ptr<const ClassMap> classes() const;
  /// Made once and kept.
  std::shared_ptr<const ComponentBasis> components(int block) const;

  const State& state() const { return *state_; }

 private:
  std::unique_ptr<const State> state_;
};

/// A token as users name it.
struct LensToken {
  bool patch = false;
  int index = 0;  ///< of a prefix token its position, of a patch its number in raster order

  bool operator==(const LensToken&) const = default;
};

enum class LensKind {
  kAttention,   ///< where a token looks, or who looks at it
  kRollout,     ///< what the result was made of, through all blocks
  kComponents,  ///< first three principal components as colours
  kSimilarity,  ///< cosine of each patch's features to one patch's
  kNorm,        ///< length of the features
  kChange,      ///< 1 - cosine to the same patch unmerged, or in another run
  kClasses      ///< a dense head's class map of the run's result
};

/// Which side of the first component is shown; the other is hatched.
enum class Foreground { kAll, kAbove, kBelow };

struct LensQuery {
  LensKind kind = LensKind::kAttention;
  LensToken token;         ///< of attention; of similarity a patch
  int head = -1;           ///< of attention; -1: mean over heads
  bool looked_at = false;  ///< who looks at the token, instead of where it looks
  Foreground foreground = Foreground::kAll;
  bool from_other = false;  ///< change from another method's run, not from the unmerged one

  bool operator==(const LensQuery&) const = default;
};

/// A lens's picture of one block, and its numbers.
struct LensMap {
  std::vector<float> values;                        ///< [n]; NaN: the patch has none
  std::vector<float> prefix;                        ///< likewise of prefix tokens; may be empty
  std::vector<std::array<std::uint8_t, 3>> colors;  ///< [n], in place of values: components
  /// [n]: dropped before, or not of the foreground; of classes: not the unmerged run's.
  std::vector<bool> hatched;
};

/// Whether it shows what comes of all blocks, whichever is chosen.
bool isOfAllBlocks(LensKind kind);

/// `other`: the unmerged run of the same image: needed by components and classes; by change what it
/// compares with, unmerged or not. Throws Error: a block, head, patch or prefix token that is not
/// there, a dropped patch as the token of attention, no `other`, out of memory; Cancelled.
LensMap lensMap(const Recording& run, const Recording* other, int block, const LensQuery& query,
                const std::stop_token& stop = {});
/// The same of maps at hand, for all heads of a block.
LensMap attentionMap(const AttentionMaps& maps, const LensQuery& query);
/// Of `token` among the attention's tokens. Throws Error: a dropped patch.
int positionOf(const AttentionMaps& maps, const LensToken& token);
/// Throws Error where no block of `run` could answer `query`: what is wrong and what is there.
void requireLens(const Recording& run, const LensQuery& query);

/// A class of a dense head as maps show it.
struct ClassEntry {
  std::string name;  ///< "sky", "class 3"
  std::array<std::uint8_t, 3> color{};
};
/// Those of either run's map, the most frequent first.
std::vector<ClassEntry> classEntries(const Recording& run, const Recording& unmerged);

/// "where patch 3,5 looks, head 2", "length of the features": what a query shows. `every_head`: of
/// attention that is shown in each of them.
std::string describe(const LensQuery& query, int grid_width, bool class_token,
                     bool every_head = false);

/// Per head, in nats: mean by size over the tokens of the entropy of their maps, merged tokens
/// counted as their patches.
std::vector<float> entropy(const AttentionMaps& maps);
/// The share of all attention that goes to token `position`: mean by size over the queries.
double received(const AttentionMaps& maps, int position, int head);

/// With the prefix entries it sums to 1; read from the class token, else from the mean over patch
/// tokens by size.
struct Rollout {
  std::vector<float> patches;
  std::vector<float> prefix;
};
Rollout rollout(const Recording& run, const std::stop_token& stop = {});

/// Throws Error for runs of different grids or widths.
FeatureChange featureChange(const Recording& run, const Recording& other, int block);
/// Of every block.
std::vector<FeatureChange> featureChanges(const Recording& run, const Recording& other);
/// Scores of `run` on a basis: [n, 3].
std::vector<float> componentScores(const Recording& run, const ComponentBasis& basis, int block);

/// Of ascending or unordered values; `q` in percent. Linear between neighbours, as NumPy's.
double percentile(std::vector<float> values, double q);

/// Writes the raw numbers of `blocks` (all that docs/lenses.md lists) as safetensors, block by
/// block; rollout through all blocks. `metadata`: besides the format's own. Throws Error (blocks
/// out of range, the file), Cancelled; nothing half-written remains.
struct TensorsSubject {
  std::string method, settings, model, image;  ///< `settings`: one JSON object
};
void writeTensors(const std::filesystem::path& path, const Recording& run,
                  const Recording& unmerged, const std::vector<int>& blocks,
                  const TensorsSubject& subject, const std::stop_token& stop = {});

}  // namespace adamerge
