// SPDX-License-Identifier: GPL-3.0-or-later
// The one description of a network: which layers it has, and by which tensor names (timm's, where
// timm has one) and shapes they are read. Checks, loading, random weights, parameter counts and
// FLOPs all come from visitNetwork().
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "adamerge/error.h"
#include "adamerge/model_info.h"
#include "kernels/linear.h"
#include "kernels/rows.h"

namespace adamerge {

class FileTensors;

/// One attention of a block. What a network lacks stays undefined.
struct AttentionLayers {
  LayerNorm norm;                              ///< before it, or after it in post-norm networks
  PackedLinear qkv;                            ///< [3 d, d]: queries, keys, values
  LayerNorm q_norm, k_norm;                    ///< of each head, [d / heads]
  at::Tensor bias_table;                       ///< [rows, heads], relative position bias
  at::Tensor relative_rows, relative_columns;  ///< [2 window - 1, d / heads], decomposed positions
  LayerNorm out_norm;                          ///< of the heads' outputs
  PackedLinear proj;                           ///< with layer scale in it
};

/// AFNO's filter as its files have it: real parts first, then imaginary ones; B blocks of channels
/// of width w = d / B, h = w * FourierFilter::hidden_factor.
struct FilterLayers {
  LayerNorm norm;
  at::Tensor w1;  ///< [2, B, w, h]
  at::Tensor b1;  ///< [2, B, h]
  at::Tensor w2;  ///< [2, B, h, w]
  at::Tensor b2;  ///< [2, B, w]
};

struct MlpLayers {
  LayerNorm norm;         ///< undefined in parallel blocks
  PackedLinear fc1;       ///< [hidden, d]; with a gate [2 hidden, d], the gate first
  LayerNorm hidden_norm;  ///< between activation and fc2
  PackedLinear fc2;       ///< with layer scale in it
};

struct BlockLayers {
  std::vector<AttentionLayers> attentions;  ///< VitConfig::branches; none where it filters
  FilterLayers filter;
  std::vector<MlpLayers> mlps;
};

struct PoolLayers {
  at::Tensor latent;  ///< [1, queries, width]
  LayerNorm query_norm, key_norm;
  PackedLinear q, kv, proj;
  LayerNorm norm;
  PackedLinear fc1, fc2;
};

/// After the blocks (SAM), to other channels: a product per place, one over 3 x 3 places, a norm
/// after each; or one norm alone, the second.
struct NeckLayers {
  PackedLinear reduce;  ///< [c, d]
  LayerNorm reduce_norm;
  PackedLinear mix;  ///< [c, c * 9]
  LayerNorm norm;
};

struct NetworkLayers {
  PackedLinear patch;
  LayerNorm patch_norm;
  at::Tensor class_token, distillation_token, registers;  ///< [1, n, d]
  at::Tensor positions;                                   ///< [1, rows, d], as trained
  LayerNorm pre_norm;
  at::Tensor shared_bias_table;   ///< [rows, heads]
  at::Tensor rotary_frequencies;  ///< [2, depth, heads, d_h / 2]
  at::Tensor rotary_periods;      ///< [d_h / 4]
  std::vector<BlockLayers> blocks;
  LayerNorm norm;
  NeckLayers neck;
  PoolLayers pool;
  LayerNorm fc_norm;
  PackedLinear projection, projection2;  ///< the second where the projection is an MLP
  PackedLinear head, head_dist;
  PackedLinear field;  ///< [p * p * c, d]: of each token the pixels of its patch
  PackedLinear dense;  ///< [classes, blocks * d]
};

enum class NetworkPart { kEmbedding, kAttention, kMlp, kNorms, kNeck, kPool, kHead, kPatchHead };

/// Is shown each layer of a network.
class NetworkVisitor {
 public:
  virtual ~NetworkVisitor() = default;
  virtual void part(NetworkPart /*part*/) {}
  /// "NAME.weight" of `shape` [out, in] or [out, channels, height, width], "NAME.bias" [out] where
  /// `bias`; multiplied by the layer scale "SCALE" [out] where that is not empty.
  virtual void linear(const std::string& name, PackedLinear& layer, std::vector<std::int64_t> shape,
                      bool bias, const std::string& scale) = 0;
  /// "NAME.weight" [width], "NAME.bias" unless `rms`.
  virtual void norm(const std::string& name, LayerNorm& layer, std::int64_t width, bool rms) = 0;
  /// Anything else, by its whole name.
  virtual void tensor(const std::string& name, at::Tensor& tensor,
                      std::vector<std::int64_t> shape) = 0;
};

/// Shows `visitor` all layers that `config` asks for; `network` gets its blocks.
void visitNetwork(const VitConfig& config, NetworkLayers& network, NetworkVisitor& visitor);
/// One block's, as visitNetwork() does.
void visitBlock(const VitConfig& config, int index, BlockLayers& block, NetworkVisitor& visitor);
/// What follows the blocks.
void visitHead(const VitConfig& config, NetworkLayers& network, NetworkVisitor& visitor);

/// Rows of a relative position table: an offset each, and three with the class token.
std::int64_t relativeRows(int window_height, int window_width);

/// One tensor that a network is read from.
struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  enum class Use { kWeight, kBias, kScale, kShift, kOther } use;
};
std::vector<TensorSpec> networkTensors(const VitConfig& config);

/// Entries of all matrices, per token of the part; what FLOPs are counted from.
struct MatrixEntries {
  double attention = 0;     ///< of a block's attentions
  double mlp = 0;           ///< of a block's MLPs
  double pool_queries = 0;  ///< of the attention pooling, per query
  double pool_tokens = 0;   ///< per token that it looks at
  double neck = 0;          ///< per patch
  double head = 0;          ///< projection and classifiers, once
  double patch_head = 0;    ///< dense head and field, per patch
};
MatrixEntries matrixEntries(const VitConfig& config);

/// Throws Error unless `tensors` are exactly those the network needs: all there, none besides, of
/// the right shape, floating point.
void checkShapes(const FileTensors& tensors, const VitConfig& vit);

/// Throws Error: NaN or infinity; Cancelled.
void checkValues(const FileTensors& tensors, const ProgressCallback& progress,
                 const std::stop_token& stop);

}  // namespace adamerge
