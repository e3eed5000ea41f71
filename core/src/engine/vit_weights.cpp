// SPDX-License-Identifier: GPL-3.0-or-later
// How the named tensors become a VisionTransformer.
#include <fmt/format.h>

#include "engine/device.h"
#include "engine/vit.h"
#include "weights/mapped_file.h"

namespace adamerge {
namespace {

/// Fills the layers that it is shown from named tensors.
class Loader final : public NetworkVisitor {
 public:
  Loader(const StateDict& weights, at::Device device, bool int8, at::ScalarType dtype,
         at::ScalarType stream_dtype, double epsilon)
      : weights_(weights),
        device_(device),
        int8_(int8),
        dtype_(dtype),
        stream_dtype_(stream_dtype),
        epsilon_(epsilon) {}

  void part(NetworkPart part) override { part_ = part; }
  void linear(const std::string& name, PackedLinear& layer, std::vector<std::int64_t> shape,
              bool bias, const std::string& scale) override {
    const bool int8 = int8_ && (part_ == NetworkPart::kAttention || part_ == NetworkPart::kMlp);
    const at::ScalarType type = int8 ? at::kFloat : dtype_;
    // LayerScale multiplies what a layer adds to the stream, which is a matter of its weights.
    const at::ScalarType exact = scale.empty()         ? type
                                 : type == at::kDouble ? at::kDouble
                                                       : at::kFloat;
    at::Tensor weight = take(name + ".weight", exact).reshape({shape.front(), -1});
    at::Tensor shift = bias ? take(name + ".bias", exact) : at::Tensor();
    if (!scale.empty()) {
      const at::Tensor gamma = take(scale, exact);
      weight = (weight * gamma.unsqueeze(1)).to(type);
      if (bias) shift = (shift * gamma).to(type);
    }
    layer = int8 ? PackedLinear::int8(weight, shift) : PackedLinear(weight, shift);
  }
  void norm(const std::string& name, LayerNorm& layer, std::int64_t /*width*/, bool rms) override {
    layer = LayerNorm{take(name + ".weight", stream_dtype_),
                      rms ? at::Tensor() : take(name + ".bias", stream_dtype_),
                      part_ == NetworkPart::kNeck ? kNeckEpsilon : epsilon_, rms};
  }
  void tensor(const std::string& name, at::Tensor& tensor,
              std::vector<std::int64_t> /*shape*/) override {
    tensor = weights_.find(name)->second;
  }

  /// The source may be a mapped file that somebody rewrites later, so the copy is always made.
  at::Tensor place(const at::Tensor& tensor, at::ScalarType type) const {
    return tensor.to(at::TensorOptions().device(device_).dtype(type), /*non_blocking=*/false,
                     /*copy=*/true);
  }

 private:
  at::Tensor take(const std::string& name, at::ScalarType type) const {
    const at::Tensor& tensor = weights_.find(name)->second;
    at::Tensor placed = place(tensor, type);
    // Else all weights would be in memory twice until the last is placed.
    releaseMapped(tensor.data_ptr(), tensor.is_contiguous() ? tensor.nbytes() : 0);
    return placed;
  }

  const StateDict& weights_;
  at::Device device_;
  bool int8_;
  at::ScalarType dtype_;
  at::ScalarType stream_dtype_;
  double epsilon_;
  NetworkPart part_ = NetworkPart::kEmbedding;
  /// SAM's neck has the same norms in all libraries, whatever the blocks'.
  static constexpr double kNeckEpsilon = 1e-6;
};

}  // namespace

VisionTransformer::VisionTransformer(const VitConfig& config, const StateDict& weights,
                                     at::Device device, at::ScalarType given)
    : config_(config),
      device_(device),
      int8_(given == at::kChar),
      dtype_(int8_ ? parseDtype("auto", device) : given),
      stream_dtype_(device.is_cpu() && dtype_ == at::kBFloat16 ? at::kFloat : dtype_) {
  const c10::InferenceMode guard;
  Loader loader(weights, device, int8_, dtype_, stream_dtype_, config.norm_epsilon);
  visitNetwork(config, layers_, loader);
  std::vector<at::Tensor> prefix;
  for (at::Tensor* token :
       {&layers_.class_token, &layers_.distillation_token, &layers_.registers}) {
    if (token->defined()) prefix.push_back(token->to(at::kFloat).reshape({-1, config.dim}));
    *token = at::Tensor();
  }
  at::Tensor tokens = prefix.empty() ? at::Tensor() : at::cat(prefix);
  if (config.position_table) {
    const PositionRows positions = positionRows(config, layers_.positions);
    position_ = loader.place(positions.patches, stream_dtype_);
    if (tokens.defined() && config.position_covers_prefix) tokens = tokens + positions.prefix;
    layers_.positions = at::Tensor();
  }
  if (tokens.defined()) prefix_ = loader.place(tokens, stream_dtype_);
  rotary_ = RotaryPositions(config, layers_.rotary_frequencies, layers_.rotary_periods);
  layers_.rotary_frequencies = at::Tensor();
  for (BlockLayers& block : layers_.blocks) {
    if (!config.mixesByFourier()) break;
    FilterLayers& filter = block.filter;
    mixers_.emplace_back(config.filter, config.gridHeight(), config.gridWidth(),
                         FourierMixer::Weights{filter.w1, filter.b1, filter.w2, filter.b2}, device,
                         dtype_ == at::kDouble ? at::kDouble : at::kFloat);
    filter.w1 = filter.b1 = filter.w2 = filter.b2 = at::Tensor();
  }
  if (config.pooling == Pooling::kAttention) {
    PoolLayers& pool = layers_.pool;
    pool.latent =
        loader.place(pool.latent.reshape({-1, config.attention_pool.width}), stream_dtype_);
    // CoCa's pooling has PyTorch's own, whatever the other norms have.
    constexpr double kUsualEpsilon = 1e-5;
    if (config.attention_pool.norms) {
      pool.query_norm.epsilon = pool.key_norm.epsilon = kUsualEpsilon;
    }
  }
  for (std::size_t index = 0; config.windows.relative && index < layers_.blocks.size(); ++index) {
    AttentionLayers& own = layers_.blocks[index].attentions.front();
    relative_.push_back(loader.place(
        relativeTables(config, static_cast<int>(index), own.relative_rows, own.relative_columns),
        dtype_));
    own.relative_rows = own.relative_columns = at::Tensor();
  }
  if (!config.hasRelativeBias()) return;
  at::Tensor shared;
  if (layers_.shared_bias_table.defined()) {
    shared = resizedBiasTable(config, layers_.shared_bias_table);
  }
  const auto placed = [&](const at::Tensor& table) {
    return pairBias(table, config.gridHeight(), config.gridWidth()).to(device);
  };
  if (!config.relative_bias.per_block) {
    pair_bias_.push_back(placed(shared));
    return;
  }
  for (BlockLayers& block : layers_.blocks) {
    at::Tensor& own = block.attentions.front().bias_table;
    const at::Tensor table = resizedBiasTable(config, own);
    pair_bias_.push_back(placed(shared.defined() ? table + shared : table));
    own = at::Tensor();
  }
}

VisionTransformer VisionTransformer::withQkv(std::span<const at::Tensor> changes) const {
  const c10::InferenceMode guard;
  VisionTransformer changed = *this;
  for (std::size_t block = 0; block < changes.size(); ++block) {
    PackedLinear& qkv = changed.layers_.blocks[block].attentions.front().qkv;
    qkv = qkv.plus(changes[block]);
  }
  return changed;
}

}  // namespace adamerge
