// SPDX-License-Identifier: GPL-3.0-or-later
// A Vision Transformer (Dosovitskiy et al., ICLR 2021) of any of the families that
// model/network.h describes. It runs over packed tokens: those of all images stand one below the
// other, [total tokens, d], so that each image may keep a different number and the matrix products
// still see the whole batch.
//
// In bf16 on a CPU with kernels for it the residual stream stays in fp32: it costs little beside
// the products, merges are decided on it, and twelve blocks of sums in eight bits would lose more
// than the products do.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "adamerge/lenses.h"
#include "adamerge/methods.h"
#include "adamerge/model_info.h"
#include "adamerge/result.h"
#include "engine/image_state.h"
#include "engine/positions.h"
#include "engine/windows.h"
#include "kernels/attention.h"
#include "kernels/fourier.h"
#include "merging/method.h"
#include "model/network.h"
#include "weights/state_dict.h"

namespace adamerge {

class VisionTransformer;

/// What is kept of one block of one image's run, for the lenses.
struct BlockRecord {
  ImageState seen;                  ///< the attention's tokens
  std::optional<ImageState> entry;  ///< the block's, where those inside are restored after it
  std::vector<at::Tensor> inputs;   ///< per attention of the block what it reads, [N, D]
  std::vector<std::vector<std::int64_t>> keys;  ///< as MergePlan::keys
  at::Tensor output;                            ///< [N, D], the residual stream after the block
  std::optional<ImageState> after;
  /// Where attention runs in windows: the plan of each. `inputs` is then empty, but for the stream
  /// on entry to the first block.
  std::vector<MergePlan> windows = {};
};

struct Recording::State {
  std::shared_ptr<const VisionTransformer> network;  ///< that ran, with the method's weights
  std::vector<BlockRecord> blocks;
  TokenPosition position = TokenPosition::kCentroid;
  bool proportional = false;
  std::shared_ptr<const ClassMap> classes;  ///< of the dense head; nullptr: none

  mutable std::mutex mutex;  ///< of what follows
  mutable std::map<int, std::shared_ptr<const ComponentBasis>> components;
};

class VisionTransformer {
 public:
  /// Copies `weights` (names of model/network.h, complete and checked) to the device in `dtype`;
  /// positions are resampled to the input's grid. at::kChar: the blocks' products in int8, on the
  /// CPU, and all else in what the processor multiplies, bf16 or fp32.
  VisionTransformer(const VitConfig& config, const StateDict& weights, at::Device device,
                    at::ScalarType dtype);

  struct Output {
    at::Tensor logits;               ///< [B, classes] fp32 on the CPU; [B, 0] without a classifier
    at::Tensor embedding;            ///< [B, VitConfig::embeddingWidth()] fp32 on the CPU
    std::vector<ImageState> images;  ///< B
    std::vector<at::Tensor> features;  ///< B of [N_i, d]: tokens as pooling receives them
    /// B of [N_i, d]: tokens on entry to the first block and after each, where asked for.
    std::vector<std::vector<at::Tensor>> stream;
    std::vector<std::vector<BlockRecord>> records;  ///< B of depth, where asked for
    std::vector<ClassMap> classes;   ///< B, of the dense head, where asked for and there is one
    std::vector<at::Tensor> fields;  ///< B of [channels, height, width], of a network that has them
  };
  struct Options {
    bool trace = true;
    bool patch_map = true;  ///< also find which token stands for a dropped one's patches
    TokenPosition position = TokenPosition::kCentroid;
    bool rotated_keys = false;  ///< what methods match by is taken after the rotation
    bool stream = false;        ///< also hand out the residual stream, for tests
    bool record = false;        ///< also hand out what the lenses look into
    bool classes = false;       ///< also hand out the dense head's class maps
    Unmerge unmerge = Unmerge::kCopy;
    std::span<const InputPlace> places = {};  ///< of each image; empty where no method asks
  };

  /// `images`: [B, 3, H, W] fp32. Throws Cancelled between blocks.
  Output forward(const at::Tensor& images, const MergeMethod& method, const Options& options,
                 const std::stop_token& stop = {}) const;

  /// What the heads of block `block` multiply their values with, of the tokens that `record` holds:
  /// [heads of all its attentions, N, N]. Besides, memory holds the queries, keys and values and
  /// one head's matrices a thread. Throws Cancelled (StopWithin).
  std::vector<float> attentionWeights(int block, const BlockRecord& record, bool proportional,
                                      TokenPosition position) const;

  /// Of a block whose attention runs in windows. `stream` [N, d]: on its entry; `plans` as its
  /// record has them. No more than a part of one head's weights at a time. Throws Cancelled.
  WindowLooks windowLooks(int block, const at::Tensor& stream, std::span<const MergePlan> plans,
                          bool proportional, TokenPosition position, int patch, bool looked_at,
                          const std::stop_token& stop) const;

  /// The network whose queries, keys and values are made by other weights: `changes` [3 d, d] of
  /// each block added. All else is shared with this one. One attention per block.
  VisionTransformer withQkv(std::span<const at::Tensor> changes) const;

  const VitConfig& config() const { return config_; }
  at::Device device() const { return device_; }
  at::ScalarType dtype() const { return int8_ ? at::kChar : dtype_; }

 private:
  /// Packed tokens with the images they belong to, in order.
  struct Pack {
    at::Tensor tokens;
    std::vector<ImageState> images;
    /// Per image what the method asked for of the last attention; empty: nothing.
    std::vector<AttentionStatistics> statistics = {};
    std::vector<std::unique_ptr<MethodMemory>> memories = {};  ///< per image, may be null
    std::vector<BlockRecord> records = {};  ///< per image, of the block that ran; where asked for
    std::span<const InputPlace> places = {};
  };
  /// What a block's attentions share.
  struct Attending {
    bool proportional = false;
    bool trace = false;
    RotaryPositions::Table rotary;      ///< undefined: none
    std::vector<at::Tensor> pair_bias;  ///< per image, of one attention
    bool rotated_keys = false;
    bool wants_metric = false;
    at::Tensor metric;  ///< [total tokens, d_h], where wanted
    WantedStatistics statistics;
    std::vector<MergePlan> plans;  ///< made before the block or around its attention; may be empty
    /// Around attention: the tokens inside it, one state an image; else empty.
    std::vector<ImageState> inside;
  };

  at::Tensor embed(const at::Tensor& images) const;
  /// [total tokens, 3 * heads * d_h], normalised and turned as the block's attention has them.
  at::Tensor queriesKeysValues(const AttentionLayers& layers, const at::Tensor& input,
                               Attending& how) const;
  /// `image`'s part of the attention, but for its keys.
  Segment segmentOf(const ImageState& image, std::size_t index, const Attending& how) const;
  /// What the heads give for `input`, the normalised tokens; [total tokens, d].
  at::Tensor attend(const AttentionLayers& layers, const at::Tensor& input, Pack& pack,
                    Attending& how) const;
  /// What a block's attentions need to know of the tokens that they see.
  void preparePositions(std::span<const ImageState> images, int index, const Options& options,
                        Attending& how) const;
  /// What each image's attention reads, into `records`.
  void record(const Pack& pack, const std::vector<at::Tensor>& inputs, const Attending& how,
              std::vector<BlockRecord>& records) const;
  /// `values`: [total tokens, heads, d_h].
  void noteStatistics(const at::Tensor& values, const AttentionOutput& output, Pack& pack,
                      const Attending& how) const;
  at::Tensor hidden(const MlpLayers& layers, const at::Tensor& input) const;
  /// The method's plans for `tokens`, the images' where it acts.
  std::vector<MergePlan> decide(const Pack& pack, int block, const MergeMethod& method,
                                const at::Tensor& tokens, const at::Tensor& metric,
                                const Options& options) const;
  /// Decides and carries out; the plans are carried out, but for their keys.
  std::vector<MergePlan> merge(Pack& pack, int block, const MergeMethod& method,
                               const at::Tensor& metric, const Options& options) const;
  void runBlock(Pack& pack, int index, const MergeMethod& method, const Options& options) const;
  /// AFNO's block: the filter over the grid, then the MLP.
  void runFiltered(Pack& pack, int index, const MergeMethod& method, const Options& options) const;
  void runInside(Pack& pack, int index, const MergeMethod& method, const Options& options) const;
  /// Attention and MLP, with what the method does within them. `plans`: made before the block.
  void runParts(Pack& pack, int index, const MergeMethod& method, MergeMethod::Stage stage,
                std::vector<MergePlan> plans, const Options& options) const;
  /// A block whose attention runs inside windows.
  void runWindowed(Pack& pack, int index, const MergeMethod& method, const Options& options) const;
  /// What a part of block `index` reads, `read` [all tokens, d], window by window and merged as the
  /// method decides by `decided`, what the part's norm reads, and `metric`; noted in the images.
  /// `metric`: undefined where the method does not act here.
  InsideWindows enterWindows(Pack& pack, int index, const MergeMethod& method,
                             const WindowGrid& grid, const at::Tensor& decided,
                             const at::Tensor& read, const at::Tensor& metric,
                             const Options& options) const;
  bool actsInside(int index, const MergeMethod& method) const {
    return method.stage() == MergeMethod::Stage::kInsideWindows && method.actsIn(index);
  }
  /// One segment a window, padding after its tokens.
  std::vector<Segment> windowSegments(int index, const WindowGrid& grid,
                                      const InsideWindows& inside, bool proportional,
                                      TokenPosition position) const;
  /// The last stream [N, d] of one image -> what pooling reads.
  at::Tensor neck(const at::Tensor& tokens) const;
  at::Tensor metricOf(const at::Tensor& keys) const;
  /// One image's features [N, d] -> its embedding before projection, [1, pooledWidth()].
  at::Tensor pool(const at::Tensor& features, const ImageState& image, bool proportional) const;
  at::Tensor poolByAttention(const at::Tensor& features, const ImageState& image,
                             bool proportional) const;
  at::Tensor project(const at::Tensor& pooled) const;
  /// Embedding and, where a distillation token has a head of its own, its features -> logits.
  at::Tensor classify(const at::Tensor& embedding, const at::Tensor& distilled) const;
  /// `patches` [n, blocks * d]: what the dense head reads.
  ClassMap classify(const at::Tensor& patches) const;
  /// What each patch is shown by, in `tokens` of one image.
  at::Tensor patchFeatures(const at::Tensor& tokens, const ImageState& image,
                           Unmerge unmerge) const;
  at::Tensor field(const at::Tensor& tokens) const;
  /// In which merges are decided.
  at::ScalarType deciding() const;
  at::Tensor normed(const at::Tensor& x, const LayerNorm& norm) const;

  VitConfig config_;
  at::Device device_;
  bool int8_;                    ///< the blocks' products are, and dtype_ is that of the rest
  at::ScalarType dtype_;         ///< of weights and products
  at::ScalarType stream_dtype_;  ///< of the residual stream
  NetworkLayers layers_;
  at::Tensor prefix_;    ///< [prefix, d], positions already added where they cover them
  at::Tensor position_;  ///< [patches, d]; undefined: none
  RotaryPositions rotary_;
  std::vector<FourierMixer> mixers_;   ///< per block; none where it attends
  std::vector<at::Tensor> pair_bias_;  ///< per block, or one for all: [heads, N, N] fp32
  std::vector<at::Tensor> relative_;   ///< per block: relativeTables()
};

/// Which of a class map's places show the picture.
void noteWithin(const PicturePlace& picture, const VitConfig& vit, ClassMap& map);

/// Sum of size * token / sum of sizes over tokens [n, d]; their plain mean where all sizes are 1.
at::Tensor meanOverPatches(const at::Tensor& tokens, std::span<const float> sizes);

}  // namespace adamerge
