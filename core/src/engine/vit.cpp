// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vit.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "adamerge/error.h"
#include "kernels/activation.h"
#include "kernels/attention.h"
#include "kernels/matching_ops.h"
#include "kernels/padded/padding.h"
#include "kernels/parallel.h"
#include "kernels/rotation.h"
#include "merging/apply.h"
#include "merging/matching.h"

namespace adamerge {
namespace {

/// Several images at once.
void forEachImage(std::size_t images, const std::function<void(std::size_t)>& work) {
  if (images == 1) {
    work(0);
    return;
  }
  parallelFor(static_cast<std::int64_t>(images), [&](std::int64_t first, std::int64_t last) {
    const c10::InferenceMode guard;
    for (std::int64_t i = first; i < last; ++i) work(static_cast<std::size_t>(i));
  });
}

/// The rows that `plans` leave of `tokens`, those of all images; `counts` of each.
at::Tensor applied(const std::vector<MergePlan>& plans, const std::vector<std::int64_t>& counts,
                   const at::Tensor& tokens) {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int64_t> new_offsets{0};
  for (std::size_t i = 0; i < plans.size(); ++i) {
    offsets.push_back(offsets.back() + counts[i]);
    new_offsets.push_back(new_offsets.back() + remainingTokens(plans[i], counts[i]));
  }
  const at::Tensor merged = at::empty({new_offsets.back(), tokens.size(1)}, tokens.options());
  if (tokens.is_cpu()) {
    forEachImage(plans.size(), [&](std::size_t i) {
      applyToTokens(plans[i], tokens.narrow(0, offsets[i], counts[i]),
                    merged.narrow(0, new_offsets[i], new_offsets[i + 1] - new_offsets[i]));
    });
  } else {
    applyToAllTokens(plans, counts, tokens, merged);
  }
  return merged;
}

}  // namespace

at::Tensor VisionTransformer::normed(const at::Tensor& x, const LayerNorm& norm) const {
  return layerNorm(x, norm, dtype_);
}

at::Tensor VisionTransformer::embed(const at::Tensor& images) const {
  const std::int64_t batch = images.size(0);
  const std::int64_t p = config_.patch_size;
  const std::int64_t rows = config_.gridHeight() * p;
  const std::int64_t columns = config_.gridWidth() * p;
  // A convolution whose stride is its kernel is one matrix product over the unfolded patches.
  const at::Tensor patches =
      (images.is_cpu() ? sentTo(device_, images) : images)
          .narrow(2, 0, rows)
          .narrow(3, 0, columns)
          .to(dtype_)
          .reshape({batch, config_.channels, config_.gridHeight(), p, config_.gridWidth(), p})
          .permute({0, 2, 4, 1, 3, 5})
          .reshape({batch * config_.patchTokens(), config_.channels * p * p});
  at::Tensor tokens = layerNorm(layers_.patch(patches, std::nullopt, stream_dtype_),
                                layers_.patch_norm, stream_dtype_)
                          .reshape({batch, config_.patchTokens(), config_.dim});
  if (position_.defined()) tokens = tokens + position_;
  if (!prefix_.defined()) return tokens.reshape({-1, config_.dim});
  return at::cat({prefix_.unsqueeze(0).expand({batch, -1, -1}), tokens}, 1)
      .reshape({-1, config_.dim});
}

at::Tensor VisionTransformer::metricOf(const at::Tensor& keys) const {
  return device_.is_cpu() ? headMeans(keys) : keys.mean(1, /*keepdim=*/false, deciding());
}

at::Tensor VisionTransformer::attend(const AttentionLayers& layers, const at::Tensor& input,
                                     Pack& pack, Attending& how) const {
  const at::Tensor qkv = layers.qkv(input);
  const at::Tensor parts = qkv.view({qkv.size(0), 3, config_.heads, config_.headDim()});
  for (const auto& [part, norm] : {std::pair(0, &layers.q_norm), std::pair(1, &layers.k_norm)}) {
    if (!norm->weight.defined()) continue;
    at::Tensor heads = parts.select(1, part);
    heads.copy_(layerNorm(heads.to(stream_dtype_), *norm, dtype_));
  }
  const at::Tensor keys = parts.select(1, 1);
  const bool rotary = how.rotary.cosines.defined();
  at::Tensor metric;
  if (how.wants_metric && !(rotary && how.rotated_keys)) metric = metricOf(keys);
  if (rotary) {
    rotate(parts.select(1, 0), how.rotary.cosines, how.rotary.sines, config_.rotary.halves);
    rotate(keys, how.rotary.cosines, how.rotary.sines, config_.rotary.halves);
    if (how.wants_metric && how.rotated_keys) metric = metricOf(keys);
  }
  // Several attentions of a block: the mean over the heads of all.
  if (metric.defined()) {
    const auto branches = static_cast<double>(config_.branches);
    if (config_.branches > 1) metric = metric / branches;
    how.metric = how.metric.defined() ? how.metric + metric : metric;
  }

  std::vector<Segment> segments(pack.images.size());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const ImageState& image = pack.images[i];
    segments[i].tokens = image.tokens();
    segments[i].first_row = how.trace && config_.class_token;
    if (!how.pair_bias.empty()) segments[i].pair_bias = how.pair_bias[i];
    if (!how.proportional || !image.anyMerged()) continue;
    for (const float size : image.sizes()) segments[i].key_bias.push_back(std::log(size));
  }
  AttentionOutput output = attention(qkv, config_.heads, segments);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].first_row) pack.images[i].noteClassAttention(output.first_rows[i]);
  }
  if (!layers.out_norm.weight.defined()) return output.mixed;
  return layerNorm(output.mixed.to(stream_dtype_), layers.out_norm, dtype_);
}

at::Tensor VisionTransformer::hidden(const MlpLayers& layers, const at::Tensor& input) const {
  const at::Tensor result = config_.gated_mlp
                                ? gated(layers.fc1(input), config_.activation, /*gate_first=*/true)
                                : layers.fc1(input, config_.activation);
  if (!layers.hidden_norm.weight.defined()) return result;
  return layerNorm(result.to(stream_dtype_), layers.hidden_norm, dtype_);
}

at::ScalarType VisionTransformer::deciding() const {
  // Consumer GPUs have one fp64 unit for 64 of fp32.
  const bool exact = dtype_ == at::kDouble || (dtype_ == at::kFloat && device_.is_cpu());
  return exact ? at::kDouble : at::kFloat;
}

void VisionTransformer::merge(Pack& pack, int block, const MergeMethod& method,
                              const at::Tensor& metric, bool trace) const {
  const std::size_t images = pack.images.size();
  std::vector<LayerTokens> layers(images);
  std::vector<std::int64_t> counts(images);
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < images; ++i) {
    const ImageState& image = pack.images[i];
    counts[i] = image.tokens();
    LayerTokens& layer = layers[i];
    layer.block = block;
    layer.prefix = config_.prefixTokens();
    layer.tokens = pack.tokens.narrow(0, offset, counts[i]);
    layer.deciding = deciding();
    if (metric.defined()) layer.metric = metric.narrow(0, offset, counts[i]);
    layer.trace = trace;
    layer.sizes = image.sizes();
    layer.patch_tokens = image.patchTokens();
    offset += counts[i];
  }
  std::vector<MergePlan> plans(images);
  if (device_.is_cpu()) {
    forEachImage(images, [&](std::size_t i) { plans[i] = method.plan(layers[i]); });
  } else {
    plans = method.planAll(layers);
  }

  bool changed = false;
  for (std::size_t i = 0; i < images; ++i) {
    changed = changed || !plans[i].merges.empty();
    pack.images[i].apply(plans[i]);
  }
  if (changed) pack.tokens = applied(plans, counts, pack.tokens);
}

void VisionTransformer::runBlock(Pack& pack, int index, const MergeMethod& method,
                                 const Options& options) const {
  using Stage = MergeMethod::Stage;
  const BlockLayers& block = layers_.blocks[static_cast<std::size_t>(index)];
  for (ImageState& image : pack.images) image.beginBlock(index);
  if (method.stage() == Stage::kBeforeBlock) merge(pack, index, method, {}, options.trace);
  for (ImageState& image : pack.images) image.noteAttention();

  Attending how;
  how.proportional = method.proportionalAttention();
  how.trace = options.trace;
  how.rotated_keys = options.rotated_keys;
  how.wants_metric = method.stage() == Stage::kBetweenAttentionAndMlp;
  if (rotary_.defined()) {
    const at::ScalarType exact = dtype_ == at::kDouble ? at::kDouble : at::kFloat;
    how.rotary = rotary_.of(pack.images, index, options.position, exact);
    how.rotary.cosines = sentTo(device_, how.rotary.cosines);
    how.rotary.sines = sentTo(device_, how.rotary.sines);
  }
  if (!pair_bias_.empty()) {
    const at::Tensor& bias =
        pair_bias_[pair_bias_.size() == 1 ? 0 : static_cast<std::size_t>(index)];
    const bool merged = std::any_of(pack.images.begin(), pack.images.end(),
                                    [](const ImageState& image) { return image.anyMerged(); });
    const at::Tensor host = merged ? bias.to(at::kCPU) : bias;
    for (const ImageState& image : pack.images) {
      how.pair_bias.push_back(image.anyMerged() ? sentTo(device_, mergedBias(host, image)) : bias);
    }
  }
  const auto mergeBetween = [&] {
    if (how.wants_metric) merge(pack, index, method, how.metric, options.trace);
  };

  if (config_.form == BlockForm::kPostNorm) {
    const AttentionLayers& attention = block.attentions.front();
    const MlpLayers& mlp = block.mlps.front();
    const auto input = [&] { return pack.tokens.to(dtype_); };
    const at::Tensor mixed = attend(attention, input(), pack, how);
    pack.tokens += layerNorm(attention.proj(mixed, std::nullopt, stream_dtype_), attention.norm,
                             stream_dtype_);
    mergeBetween();
    for (ImageState& image : pack.images) image.noteMlp();
    pack.tokens += layerNorm(mlp.fc2(hidden(mlp, input()), std::nullopt, stream_dtype_), mlp.norm,
                             stream_dtype_);
  } else if (config_.form == BlockForm::kParallel) {
    const AttentionLayers& attention = block.attentions.front();
    const MlpLayers& mlp = block.mlps.front();
    const at::Tensor input = normed(pack.tokens, attention.norm);
    attention.proj.addTo(pack.tokens, attend(attention, input, pack, how));
    mlp.fc2.addTo(pack.tokens, hidden(mlp, input));
    // One projection makes queries, keys, values and hidden layer: nothing lies between.
    for (ImageState& image : pack.images) image.noteMlp();
    mergeBetween();
  } else {
    std::vector<at::Tensor> mixed;
    for (const AttentionLayers& attention : block.attentions) {
      mixed.push_back(attend(attention, normed(pack.tokens, attention.norm), pack, how));
    }
    for (std::size_t i = 0; i < mixed.size(); ++i) {
      block.attentions[i].proj.addTo(pack.tokens, mixed[i]);
    }
    mergeBetween();
    for (ImageState& image : pack.images) image.noteMlp();
    std::vector<at::Tensor> layers;
    for (const MlpLayers& mlp : block.mlps) {
      layers.push_back(hidden(mlp, normed(pack.tokens, mlp.norm)));
    }
    for (std::size_t i = 0; i < layers.size(); ++i) block.mlps[i].fc2.addTo(pack.tokens, layers[i]);
  }
  for (ImageState& image : pack.images) image.endBlock();
}

VisionTransformer::Output VisionTransformer::forward(const at::Tensor& images,
                                                     const MergeMethod& method,
                                                     const Options& options,
                                                     const std::stop_token& stop) const {
  const c10::InferenceMode guard;
  // Where all that is heavy runs in kernels of ours, LibTorch has nothing left to divide.
  std::optional<LibTorchAside> aside;
  if (device_.is_cpu() && stream_dtype_ == at::kFloat) aside.emplace();
  Pack pack;
  pack.tokens = layerNorm(embed(images), layers_.pre_norm, stream_dtype_);
  pack.images.assign(static_cast<std::size_t>(images.size(0)),
                     ImageState(config_.prefixTokens(), config_.patchTokens(), options.trace));
  Output output;
  const auto note = [&] {
    if (!options.stream) return;
    output.stream.resize(pack.images.size());
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < pack.images.size(); ++i) {
      output.stream[i].push_back(pack.tokens.narrow(0, offset, pack.images[i].tokens()).clone());
      offset += pack.images[i].tokens();
    }
  };
  note();
  for (int index = 0; index < config_.depth; ++index) {
    throwIfStopped(stop);
    runBlock(pack, index, method, options);
    note();
  }
  throwIfStopped(stop);

  const bool proportional = method.proportionalAttention();
  const at::Tensor tokens = layerNorm(pack.tokens, layers_.norm, stream_dtype_);
  std::vector<at::Tensor> pooled;
  std::vector<at::Tensor> distilled;
  std::int64_t offset = 0;
  for (const ImageState& image : pack.images) {
    const at::Tensor features = tokens.narrow(0, offset, image.tokens());
    pooled.push_back(pool(features, image, proportional));
    distilled.push_back(features.narrow(0, config_.distillation_token ? 1 : 0, 1));
    output.features.push_back(features);
    offset += image.tokens();
  }
  std::vector<at::Tensor> outputs;  // logits | embedding: one copy takes both to the host
  const auto finish = [&](const at::Tensor& own, const at::Tensor& distilled_own) {
    const at::Tensor first = project(own);
    // Where two tokens are read, their mean stands for them.
    const at::Tensor embedding = config_.mean_of_tokens ? (first + distilled_own) / 2 : first;
    const at::Tensor logits = classify(config_.two_heads ? first : embedding, distilled_own);
    outputs.push_back(at::cat({logits.to(at::kFloat), embedding.to(at::kFloat)}, 1).to(at::kCPU));
  };
  if (device_.is_cpu()) {
    // LibTorch's products may round a row otherwise among others than alone.
    for (std::size_t i = 0; i < pooled.size(); ++i) finish(pooled[i], distilled[i]);
  } else {
    finish(at::cat(pooled), at::cat(distilled));
  }
  const at::Tensor both = at::cat(outputs);
  const std::int64_t classes = both.size(1) - config_.embeddingWidth();
  output.logits = both.narrow(1, 0, classes);
  output.embedding = both.narrow(1, classes, config_.embeddingWidth());
  output.images = std::move(pack.images);
  return output;
}

}  // namespace adamerge
