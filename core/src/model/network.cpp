// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/network.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <string_view>

#include "model/file_tensors.h"
#include "support/text.h"

namespace adamerge {
namespace {

/// `side`: of the block's windows, 0: the grid.
void visitRelative(const VitConfig& c, const std::string& base, int side, AttentionLayers& layers,
                   NetworkVisitor& visitor) {
  const std::int64_t rows = side > 0 ? side : c.windows.table_height;
  const std::int64_t columns = side > 0 ? side : c.windows.table_width;
  visitor.tensor(base + ".rel_pos_h", layers.relative_rows, {2 * rows - 1, c.headDim()});
  visitor.tensor(base + ".rel_pos_w", layers.relative_columns, {2 * columns - 1, c.headDim()});
}

void visitAttention(const VitConfig& c, const std::string& norm, const std::string& base,
                    const std::string& scale, AttentionLayers& layers, NetworkVisitor& visitor) {
  const std::int64_t d = c.dim;
  visitor.norm(norm, layers.norm, d, c.rms_norm);
  visitor.linear(base + ".qkv", layers.qkv, {3 * d, d}, c.qkv_bias, {});
  if (c.qk_norm) {
    visitor.norm(base + ".q_norm", layers.q_norm, c.headDim(), c.rms_qk_norm);
    visitor.norm(base + ".k_norm", layers.k_norm, c.headDim(), c.rms_qk_norm);
  }
  if (c.relative_bias.per_block) {
    visitor.tensor(
        base + ".relative_position_bias_table", layers.bias_table,
        {relativeRows(c.relative_bias.window_height, c.relative_bias.window_width), c.heads});
  }
  if (c.attention_norm) visitor.norm(base + ".norm", layers.out_norm, d, c.rms_norm);
  visitor.linear(base + ".proj", layers.proj, {d, d}, c.proj_bias, c.layer_scale ? scale : "");
}

void visitFilter(const VitConfig& c, const std::string& base, FilterLayers& layers,
                 NetworkVisitor& visitor) {
  const std::int64_t groups = c.filter.groups;
  const std::int64_t width = c.dim / groups;
  const std::int64_t hidden = width * c.filter.hidden_factor;
  visitor.norm(base + "norm1", layers.norm, c.dim, c.rms_norm);
  visitor.tensor(base + "filter.w1", layers.w1, {2, groups, width, hidden});
  visitor.tensor(base + "filter.b1", layers.b1, {2, groups, hidden});
  visitor.tensor(base + "filter.w2", layers.w2, {2, groups, hidden, width});
  visitor.tensor(base + "filter.b2", layers.b2, {2, groups, width});
}

void visitMlp(const VitConfig& c, const std::string& norm, const std::string& base,
              const std::string& scale, MlpLayers& layers, NetworkVisitor& visitor) {
  const std::int64_t hidden = c.mlp_hidden;
  if (c.form != BlockForm::kParallel) visitor.norm(norm, layers.norm, c.dim, c.rms_norm);
  visitor.linear(base + ".fc1", layers.fc1, {c.gated_mlp ? 2 * hidden : hidden, c.dim}, c.mlp_bias,
                 {});
  if (c.mlp_norm) visitor.norm(base + ".norm", layers.hidden_norm, hidden, c.rms_norm);
  visitor.linear(base + ".fc2", layers.fc2, {c.dim, hidden}, c.mlp_bias,
                 c.layer_scale && !c.attention_scale_only ? scale : "");
}

void visitPool(const VitConfig& c, PoolLayers& pool, NetworkVisitor& visitor) {
  const AttentionPool& p = c.attention_pool;
  const std::int64_t width = p.width;
  visitor.tensor("attn_pool.latent", pool.latent, {1, p.queries, width});
  if (p.norms) {
    visitor.norm("attn_pool.query_norm", pool.query_norm, width, false);
    visitor.norm("attn_pool.key_norm", pool.key_norm, c.dim, false);
  }
  visitor.linear("attn_pool.q", pool.q, {width, width}, true, {});
  visitor.linear("attn_pool.kv", pool.kv, {2 * width, c.dim}, true, {});
  visitor.linear("attn_pool.proj", pool.proj, {width, width}, true, {});
  if (p.mlp_hidden == 0) return;
  visitor.norm("attn_pool.norm", pool.norm, width, c.rms_norm);
  visitor.linear("attn_pool.mlp.fc1", pool.fc1, {p.mlp_hidden, width}, true, {});
  visitor.linear("attn_pool.mlp.fc2", pool.fc2, {width, p.mlp_hidden}, true, {});
}

/// Lists all tensors, and sums the matrices of each part.
class Lister final : public NetworkVisitor {
 public:
  void part(NetworkPart part) override { part_ = part; }
  void linear(const std::string& name, PackedLinear& /*layer*/, std::vector<std::int64_t> shape,
              bool bias, const std::string& scale) override {
    const std::int64_t out = shape.front();
    double entries = 1;
    for (const std::int64_t size : shape) entries *= static_cast<double>(size);
    add(name, entries);
    specs.push_back({name + ".weight", std::move(shape), TensorSpec::Use::kWeight});
    if (bias) specs.push_back({name + ".bias", {out}, TensorSpec::Use::kBias});
    if (!scale.empty()) specs.push_back({scale, {out}, TensorSpec::Use::kScale});
  }
  void norm(const std::string& name, LayerNorm& /*layer*/, std::int64_t width, bool rms) override {
    specs.push_back({name + ".weight", {width}, TensorSpec::Use::kScale});
    if (!rms) specs.push_back({name + ".bias", {width}, TensorSpec::Use::kShift});
  }
  void tensor(const std::string& name, at::Tensor& /*tensor*/,
              std::vector<std::int64_t> shape) override {
    specs.push_back({name, std::move(shape), TensorSpec::Use::kOther});
  }

  std::vector<TensorSpec> specs;
  MatrixEntries entries;

 private:
  void add(const std::string& name, double count) {
    switch (part_) {
      case NetworkPart::kAttention:
        entries.attention += count;
        break;
      case NetworkPart::kMlp:
        entries.mlp += count;
        break;
      case NetworkPart::kPool:
        (name.ends_with(".kv") ? entries.pool_tokens : entries.pool_queries) += count;
        break;
      case NetworkPart::kNeck:
        entries.neck += count;
        break;
      case NetworkPart::kHead:
        entries.head += count;
        break;
      case NetworkPart::kPatchHead:
        entries.patch_head += count;
        break;
      default:
        break;
    }
  }

  NetworkPart part_ = NetworkPart::kEmbedding;
};

void checkNames(const FileTensors& tensors, const std::vector<TensorSpec>& specs) {
  std::vector<std::string> missing;
  std::vector<std::string> unexpected;
  std::set<std::string_view> known;
  for (const TensorSpec& spec : specs) {
    known.insert(spec.name);
    if (!tensors.has(spec.name)) missing.push_back(tensors.inFile(spec.name));
  }
  for (const auto& [name, tensor] : tensors.all()) {
    if (!known.contains(name)) unexpected.push_back(tensors.inFile(name));
  }
  if (missing.empty() && unexpected.empty()) return;
  tensors.fail(
      fmt::format("the tensors are not those of this network: {}{}{}",
                  missing.empty() ? "" : fmt::format("missing {}", someOf(missing)),
                  missing.empty() || unexpected.empty() ? "" : "; ",
                  unexpected.empty() ? "" : fmt::format("unexpected {}", someOf(unexpected))));
}

}  // namespace

std::int64_t relativeRows(int window_height, int window_width) {
  constexpr std::int64_t kClassRows = 3;
  return (2LL * window_height - 1) * (2LL * window_width - 1) + kClassRows;
}

void visitBlock(const VitConfig& c, int index, BlockLayers& block, NetworkVisitor& visitor) {
  const std::string base = fmt::format("blocks.{}.", index);
  const auto branches = static_cast<std::size_t>(c.branches);
  block.attentions.resize(c.mixesByFourier() ? 0 : branches);
  block.mlps.resize(branches);
  visitor.part(NetworkPart::kAttention);
  if (c.mixesByFourier()) visitFilter(c, base, block.filter, visitor);
  for (std::size_t i = 0; i < block.attentions.size(); ++i) {
    const std::string own = branches == 1 ? base : fmt::format("{}attns.{}.", base, i);
    visitAttention(c, own + (branches == 1 ? "norm1" : "norm"), own + "attn",
                   own + (branches == 1 ? "ls1.gamma" : "ls.gamma"), block.attentions[i], visitor);
    if (c.windows.relative) {
      visitRelative(c, own + "attn", c.windows.sides[static_cast<std::size_t>(index)],
                    block.attentions[i], visitor);
    }
  }
  visitor.part(NetworkPart::kMlp);
  for (std::size_t i = 0; i < branches; ++i) {
    const std::string own = branches == 1 ? base : fmt::format("{}ffns.{}.", base, i);
    visitMlp(c, own + (branches == 1 ? "norm2" : "norm"), own + "mlp",
             own + (branches == 1 ? "ls2.gamma" : "ls.gamma"), block.mlps[i], visitor);
  }
}

void visitHead(const VitConfig& c, NetworkLayers& network, NetworkVisitor& visitor) {
  visitor.part(NetworkPart::kNorms);
  if (c.final_norm) visitor.norm("norm", network.norm, c.dim, c.rms_norm);
  visitor.part(NetworkPart::kNeck);
  if (c.neck_channels > 0) {
    const std::int64_t channels = c.neck_channels;
    visitor.linear("neck.0", network.neck.reduce, {channels, c.dim, 1, 1}, false, {});
    visitor.norm("neck.1", network.neck.reduce_norm, channels, false);
    visitor.linear("neck.2", network.neck.mix, {channels, channels, 3, 3}, false, {});
    visitor.norm("neck.3", network.neck.norm, channels, false);
  } else if (c.neck_norm) {
    visitor.norm("neck", network.neck.norm, c.dim, false);
  }
  visitor.part(NetworkPart::kPool);
  if (c.pooling == Pooling::kAttention) visitPool(c, network.pool, visitor);
  visitor.part(NetworkPart::kNorms);
  if (c.fc_norm) visitor.norm("fc_norm", network.fc_norm, c.pooledWidth(), c.rms_norm);
  visitor.part(NetworkPart::kHead);
  if (c.projection_hidden > 0) {
    visitor.linear("projection.fc1", network.projection, {c.projection_hidden, c.pooledWidth()},
                   c.projection_bias, {});
    visitor.linear("projection.fc2", network.projection2, {c.projection, c.projection_hidden},
                   c.projection_bias, {});
  } else if (c.projection > 0) {
    visitor.linear("projection", network.projection, {c.projection, c.pooledWidth()},
                   c.projection_bias, {});
  }
  if (c.classes > 0) {
    visitor.linear("head", network.head, {c.classes, c.embeddingWidth()}, true, {});
    if (c.two_heads) visitor.linear("head_dist", network.head_dist, {c.classes, c.dim}, true, {});
  }
  visitor.part(NetworkPart::kPatchHead);
  if (c.field_channels > 0) {
    const std::int64_t pixels = static_cast<std::int64_t>(c.patch_size) * c.patch_size;
    visitor.linear("field", network.field, {pixels * c.field_channels, c.dim}, false, {});
  }
  if (c.dense.classes > 0) {
    visitor.linear("dense_head", network.dense,
                   {c.dense.classes, static_cast<std::int64_t>(c.dense.blocks) * c.featureWidth()},
                   true, {});
  }
}

void visitNetwork(const VitConfig& c, NetworkLayers& network, NetworkVisitor& visitor) {
  const std::int64_t d = c.dim;
  visitor.part(NetworkPart::kEmbedding);
  visitor.linear("patch_embed.proj", network.patch, {d, c.channels, c.patch_size, c.patch_size},
                 c.patch_bias, {});
  if (c.patch_norm) visitor.norm("patch_embed.norm", network.patch_norm, d, c.rms_norm);
  if (c.class_token) visitor.tensor("cls_token", network.class_token, {1, 1, d});
  if (c.distillation_token) visitor.tensor("dist_token", network.distillation_token, {1, 1, d});
  if (c.register_tokens > 0) {
    visitor.tensor("reg_token", network.registers, {1, c.register_tokens, d});
  }
  if (c.position_table) {
    const std::int64_t patches =
        static_cast<std::int64_t>(c.position_grid_height) * c.position_grid_width;
    visitor.tensor("pos_embed", network.positions,
                   {1, patches + (c.position_covers_prefix ? c.prefixTokens() : 0), d});
  }
  if (c.pre_norm) visitor.norm("norm_pre", network.pre_norm, d, c.rms_norm);
  if (c.relative_bias.shared) {
    visitor.tensor(
        "rel_pos_bias.relative_position_bias_table", network.shared_bias_table,
        {relativeRows(c.relative_bias.window_height, c.relative_bias.window_width), c.heads});
  }
  if (c.rotary.form == Rotary::Form::kMixed) {
    visitor.tensor("rope.freqs", network.rotary_frequencies,
                   {2, c.depth, c.heads, c.headDim() / 2});
  }
  if (c.rotary.stored_periods) {
    visitor.tensor("rope.periods", network.rotary_periods, {c.headDim() / 4});
  }
  network.blocks.resize(static_cast<std::size_t>(c.depth));
  for (int index = 0; index < c.depth; ++index) {
    visitBlock(c, index, network.blocks[static_cast<std::size_t>(index)], visitor);
  }
  visitHead(c, network, visitor);
}

std::vector<TensorSpec> networkTensors(const VitConfig& config) {
  Lister lister;
  NetworkLayers network;
  visitNetwork(config, network, lister);
  return std::move(lister.specs);
}

MatrixEntries matrixEntries(const VitConfig& config) {
  Lister lister;
  BlockLayers block;
  NetworkLayers network;
  visitBlock(config, 0, block, lister);
  visitHead(config, network, lister);
  return lister.entries;
}

void checkShapes(const FileTensors& tensors, const VitConfig& vit) {
  const std::vector<TensorSpec> specs = networkTensors(vit);
  checkNames(tensors, specs);
  for (const TensorSpec& spec : specs) {
    const at::Tensor tensor = tensors.find(spec.name);
    if (tensor.sizes() != at::IntArrayRef(spec.shape)) {
      tensors.fail(fmt::format("tensor '{}' has shape [{}], expected is [{}]",
                               tensors.inFile(spec.name), fmt::join(tensor.sizes(), ", "),
                               fmt::join(spec.shape, ", ")));
    }
    if (!tensor.is_floating_point()) {
      tensors.fail(fmt::format("tensor '{}' is of type {}, a floating-point type is expected",
                               tensors.inFile(spec.name), at::toString(tensor.scalar_type())));
    }
  }
}

void checkValues(const FileTensors& tensors, const ProgressCallback& progress,
                 const std::stop_token& stop) {
  std::int64_t done = 0;
  for (const auto& [name, tensor] : tensors.all()) {
    throwIfStopped(stop);
    if (!at::isfinite(tensor).all().item<bool>()) {
      tensors.fail(fmt::format("tensor '{}' holds NaN or infinity: the weights are damaged",
                               tensors.inFile(name)));
    }
    ++done;
    if (progress) {
      progress({"checking weights", done, static_cast<std::int64_t>(tensors.all().size())});
    }
  }
}

}  // namespace adamerge
