// SPDX-License-Identifier: GPL-3.0-or-later
#include "trainable_vit.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/device.h"
#include "recipe.h"

namespace adamerge::training {
namespace {

constexpr double kDeviation = 0.02;
constexpr double kClassTokenDeviation = 1e-6;

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                  at::ScalarType dtype) {
  return at::linear(x.to(dtype), weight.to(dtype), bias.to(dtype));
}

/// A branch times its layer scale and `factors`, of the whole branch for each image.
at::Tensor scaled(at::Tensor branch, const at::Tensor& layer_scale, const at::Tensor& factors,
                  std::int64_t index) {
  if (layer_scale.defined()) branch = branch * layer_scale;
  return factors.defined() ? branch * factors[index].view({-1, 1, 1}) : branch;
}

}  // namespace

TrainableVit::TrainableVit(const VitConfig& config, Random& random, at::Device device)
    : config_(config), device_(device) {
  const std::int64_t dim = config.dim;
  const std::int64_t patch = config.patch_size;
  const std::int64_t fan_in = config.channels * patch * patch;
  const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
  const auto uniform = [&](at::IntArrayRef shape) {
    return (random.uniform(shape) * 2.0 - 1.0) * bound;
  };
  class_token_ = add("cls_token", random.normal({1, 1, dim}, kClassTokenDeviation));
  positions_ =
      add("pos_embed",
          random.normal({1, config.prefixTokens() + config.patchTokens(), dim}, kDeviation));
  patches_.weight = add("patch_embed.proj.weight", uniform({dim, config.channels, patch, patch}));
  patches_.bias = add("patch_embed.proj.bias", uniform({dim}));
  for (int index = 0; index < config.depth; ++index) {
    const std::string base = fmt::format("blocks.{}.", index);
    Block block;
    block.norm1 = addNorm(base + "norm1");
    block.qkv = addLinear(base + "attn.qkv", 3 * config.dim, config.dim, random);
    block.proj = addLinear(base + "attn.proj", config.dim, config.dim, random);
    if (config.layer_scale) {
      block.scale1 = add(base + "ls1.gamma", at::full({dim}, kFirstLayerScale));
      block.scale2 = add(base + "ls2.gamma", at::full({dim}, kFirstLayerScale));
    }
    block.norm2 = addNorm(base + "norm2");
    block.fc1 = addLinear(base + "mlp.fc1", config.mlp_hidden, config.dim, random);
    block.fc2 = addLinear(base + "mlp.fc2", config.dim, config.mlp_hidden, random);
    blocks_.push_back(std::move(block));
  }
  norm_ = addNorm("norm");
  head_ = addLinear("head", config.classes, config.dim, random);
}

at::Tensor TrainableVit::add(const std::string& name, const at::Tensor& value) {
  const at::Tensor leaf = value.to(device_).set_requires_grad(true);
  parameters_.push_back({name, leaf, leaf.dim() >= 2 && name.ends_with(".weight")});
  return leaf;
}

TrainableVit::Layer TrainableVit::addLinear(const std::string& name, int out, int in,
                                            Random& random) {
  return {add(name + ".weight", random.normal({out, in}, kDeviation)),
          add(name + ".bias", at::zeros({out}))};
}

TrainableVit::Layer TrainableVit::addNorm(const std::string& name) {
  return {add(name + ".weight", at::ones({config_.dim})),
          add(name + ".bias", at::zeros({config_.dim}))};
}

at::Tensor TrainableVit::normalise(const at::Tensor& x, const Layer& norm) const {
  return at::layer_norm(x, {config_.dim}, norm.weight, norm.bias, config_.norm_epsilon);
}

at::Tensor TrainableVit::embed(const at::Tensor& images, at::ScalarType dtype,
                               const at::Tensor& kept) const {
  const std::int64_t batch = images.size(0);
  const std::int64_t p = config_.patch_size;
  const std::int64_t count = config_.patchTokens();
  at::Tensor pixels =
      images.reshape({batch, config_.channels, config_.gridHeight(), p, config_.gridWidth(), p})
          .permute({0, 2, 4, 1, 3, 5})
          .reshape({batch, count, config_.channels * p * p});
  at::Tensor positions = positions_.narrow(1, 1, count);
  if (kept.defined()) {
    const at::Tensor index = kept.unsqueeze(-1);
    pixels = pixels.gather(1, index.expand({-1, -1, pixels.size(-1)}));
    // Over the expanded positions each index occurs once, so that the gradient's sums do not hang
    // on the order in which a GPU's threads come.
    positions = positions.expand({batch, -1, -1}).gather(1, index.expand({-1, -1, config_.dim}));
  }
  const at::Tensor tokens =
      linear(pixels, patches_.weight.reshape({config_.dim, -1}), patches_.bias, dtype) + positions;
  const at::Tensor first = class_token_ + positions_.narrow(1, 0, 1);
  return at::cat({first.expand({batch, -1, -1}), tokens}, 1);
}

at::Tensor TrainableVit::attend(const Block& block, const at::Tensor& x, const at::Tensor& bias,
                                at::ScalarType dtype, const at::Tensor& change,
                                std::vector<at::Tensor>* attention, at::Tensor* keys) const {
  const std::int64_t batch = x.size(0);
  const std::int64_t tokens = x.size(1);
  const at::Tensor weight = change.defined() ? block.qkv.weight + change : block.qkv.weight;
  const at::Tensor qkv = linear(normalise(x, block.norm1), weight, block.qkv.bias, dtype)
                             .reshape({batch, tokens, 3, config_.heads, config_.headDim()})
                             .permute({2, 0, 3, 1, 4});
  const double scale = 1.0 / std::sqrt(static_cast<double>(config_.headDim()));
  if (keys != nullptr) *keys = qkv[1].detach().to(at::kFloat).mean(1);
  at::Tensor logits = at::matmul(qkv[0] * scale, qkv[1].transpose(-2, -1));
  if (bias.defined()) logits = logits + bias.to(dtype);
  const at::Tensor weights = logits.softmax(-1);
  if (attention != nullptr) attention->push_back(weights);
  const at::Tensor mixed =
      at::matmul(weights, qkv[2]).transpose(1, 2).reshape({batch, tokens, config_.dim});
  return linear(mixed, block.proj.weight, block.proj.bias, dtype);
}

at::Tensor TrainableVit::forward(const at::Tensor& images, at::ScalarType dtype,
                                 const Dropped& dropped, std::vector<at::Tensor>* attention,
                                 const TokenMerging& merging) const {
  using Stage = MergeMethod::Stage;
  const MergeMethod* method = merging.method;
  const Stage stage = method == nullptr ? Stage::kNever : method->stage();
  MergedTokens tokens(embed(images.to(device_), dtype, dropped.kept_patches),
                      config_.prefixTokens(), config_.patchTokens(), dropped.kept_patches);
  at::Tensor& x = tokens.values;
  for (int index = 0; index < config_.depth; ++index) {
    const auto place = static_cast<std::size_t>(index);
    const Block& block = blocks_[place];
    const at::Tensor change =
        merging.qkv_changes.empty() ? at::Tensor() : merging.qkv_changes[place];
    if (stage == Stage::kBeforeBlock) tokens.merge(*method, index, {}, config_.heads);
    // Proportional attention (ToMe, Sec. 3): a token counts as many as it stands for.
    const at::Tensor bias = tokens.logitBias(method != nullptr && method->proportionalAttention());
    const bool after_attention = stage == Stage::kBetweenAttentionAndMlp;
    at::Tensor keys;
    x = x +
        scaled(attend(block, x, bias, dtype, change, attention, after_attention ? &keys : nullptr),
               block.scale1, dropped.branches, 2 * index);
    if (after_attention) tokens.merge(*method, index, keys, config_.heads);
    const at::Tensor hidden =
        at::gelu(linear(normalise(x, block.norm2), block.fc1.weight, block.fc1.bias, dtype));
    x = x + scaled(linear(hidden, block.fc2.weight, block.fc2.bias, dtype), block.scale2,
                   dropped.branches, 2 * index + 1);
  }
  return linear(normalise(x.select(1, 0), norm_), head_.weight, head_.bias, at::kFloat);
}

StateDict weightsOf(const TrainableVit& vit) {
  StateDict weights;
  for (const Parameter& parameter : vit.parameters()) {
    weights[parameter.name] = parameter.value.detach();
  }
  return weights;
}

void copyWeights(const StateDict& weights, const TrainableVit& vit) {
  const c10::NoGradGuard guard;
  for (const auto& [name, tensor] : weightsOf(vit)) {
    if (const auto found = weights.find(name); found != weights.end()) tensor.copy_(found->second);
  }
}

}  // namespace adamerge::training
