// SPDX-License-Identifier: GPL-3.0-or-later
#include "trainable_vit.h"

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "engine/device.h"

namespace adamerge::training {
namespace {

constexpr double kDeviation = 0.02;
constexpr double kClassTokenDeviation = 1e-6;
constexpr double kLeastKeyLength = 1e-12;

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                  at::ScalarType dtype) {
  return at::linear(x.to(dtype), weight.to(dtype), bias.to(dtype));
}

/// `factor` of the whole branch for each image.
at::Tensor scaled(const at::Tensor& branch, const at::Tensor& factors, std::int64_t index) {
  return factors.defined() ? branch * factors[index].view({-1, 1, 1}) : branch;
}

/// Of `x` [batch, tokens, dim], the class token first, r even tokens go into their most similar odd
/// ones by the mean over heads of `keys` [batch, heads, tokens, width], as size-weighted means;
/// `sizes` as in attend().
void mergeTokens(at::Tensor& x, at::Tensor& sizes, const at::Tensor& keys, std::int64_t r) {
  const std::int64_t tokens = x.size(1);
  r = std::min(r, (tokens - 1) / 2);
  if (r <= 0) return;
  const auto even = [tokens](const at::Tensor& all) { return all.slice(1, 0, tokens, 2); };
  const auto odd = [tokens](const at::Tensor& all) { return all.slice(1, 1, tokens, 2); };
  at::Tensor stay;         // of the even ones
  at::Tensor source;       // of the even ones, [batch, r, 1]
  at::Tensor destination;  // of the odd ones
  {
    const c10::NoGradGuard guard;
    const at::Tensor metric = keys.to(at::kDouble).mean(1);
    const at::Tensor units =
        metric / metric.norm(2, {2}, /*keepdim=*/true).clamp_min(kLeastKeyLength);
    const at::Tensor scores = even(units).matmul(odd(units).transpose(1, 2));
    scores.select(1, 0).fill_(-std::numeric_limits<double>::infinity());
    const auto [best, match] = scores.max(2);
    const at::Tensor order =
        std::get<1>(best.sort(/*stable=*/true, /*dim=*/1, /*descending=*/true));
    source = order.narrow(1, 0, r).unsqueeze(2);
    stay = std::get<0>(order.slice(1, r).sort(1)).unsqueeze(2);
    destination = match.unsqueeze(2).gather(1, source);
  }
  const auto sums = [&](const at::Tensor& all) {
    const auto wide = [&](const at::Tensor& index) { return index.expand({-1, -1, all.size(2)}); };
    return at::cat({even(all).gather(1, wide(stay)),
                    odd(all).scatter_add(1, wide(destination), even(all).gather(1, wide(source)))},
                   1);
  };
  if (!sizes.defined()) sizes = at::ones({x.size(0), tokens, 1}, x.options());
  x = sums(x * sizes);
  sizes = sums(sizes);
  x = x / sizes;
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

TrainableVit::Attended TrainableVit::attend(const Block& block, const at::Tensor& x,
                                            at::ScalarType dtype, const at::Tensor& sizes,
                                            const at::Tensor& change,
                                            std::vector<at::Tensor>* attention) const {
  const std::int64_t batch = x.size(0);
  const std::int64_t tokens = x.size(1);
  const at::Tensor weight = change.defined() ? block.qkv.weight + change : block.qkv.weight;
  const at::Tensor qkv = linear(normalise(x, block.norm1), weight, block.qkv.bias, dtype)
                             .reshape({batch, tokens, 3, config_.heads, config_.headDim()})
                             .permute({2, 0, 3, 1, 4});
  const double scale = 1.0 / std::sqrt(static_cast<double>(config_.headDim()));
  at::Tensor logits = at::matmul(qkv[0] * scale, qkv[1].transpose(-2, -1));
  if (sizes.defined()) logits = logits + sizes.log().view({batch, 1, 1, tokens}).to(dtype);
  const at::Tensor weights = logits.softmax(-1);
  if (attention != nullptr) attention->push_back(weights);
  const at::Tensor mixed =
      at::matmul(weights, qkv[2]).transpose(1, 2).reshape({batch, tokens, config_.dim});
  return {linear(mixed, block.proj.weight, block.proj.bias, dtype), qkv[1].detach()};
}

at::Tensor TrainableVit::forward(const at::Tensor& images, at::ScalarType dtype,
                                 const Dropped& dropped, std::vector<at::Tensor>* attention,
                                 const TokenMerging& merging) const {
  at::Tensor sizes;
  at::Tensor x = embed(images.to(device_), dtype, dropped.kept_patches);
  for (int index = 0; index < config_.depth; ++index) {
    const auto place = static_cast<std::size_t>(index);
    const Block& block = blocks_[place];
    const at::Tensor change =
        merging.qkv_changes.empty() ? at::Tensor() : merging.qkv_changes[place];
    const Attended attended = attend(block, x, dtype, sizes, change, attention);
    x = x + scaled(attended.output, dropped.branches, 2 * index);
    mergeTokens(x, sizes, attended.keys, merging.r);
    const at::Tensor hidden =
        at::gelu(linear(normalise(x, block.norm2), block.fc1.weight, block.fc1.bias, dtype));
    x = x + scaled(linear(hidden, block.fc2.weight, block.fc2.bias, dtype), dropped.branches,
                   2 * index + 1);
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

}  // namespace adamerge::training
