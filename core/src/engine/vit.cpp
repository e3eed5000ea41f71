// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vit.h"

#include <cmath>
#include <functional>
#include <optional>

#include "adamerge/progress.h"
#include "engine/kernels/affinity.h"
#include "engine/kernels/attention.h"
#include "engine/kernels/parallel.h"
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

at::Tensor VisionTransformer::embed(const at::Tensor& images) const {
  const std::int64_t batch = images.size(0);
  const std::int64_t p = config_.patch_size;
  // A convolution whose stride is its kernel is one matrix product over the unfolded patches.
  const at::Tensor patches =
      (images.is_cpu() ? sentTo(device_, images) : images)
          .to(dtype_)
          .reshape({batch, config_.channels, config_.gridHeight(), p, config_.gridWidth(), p})
          .permute({0, 2, 4, 1, 3, 5})
          .reshape({batch * config_.patchTokens(), config_.channels * p * p});
  const at::Tensor tokens = patch_(patches, std::nullopt, stream_dtype_)
                                .reshape({batch, config_.patchTokens(), config_.dim}) +
                            position_;
  if (!prefix_.defined()) return tokens.reshape({-1, config_.dim});
  return at::cat({prefix_.unsqueeze(0).expand({batch, -1, -1}), tokens}, 1)
      .reshape({-1, config_.dim});
}

at::Tensor VisionTransformer::attend(const Block& block, Pack& pack, bool proportional,
                                     at::Tensor* metric, bool trace) const {
  const at::Tensor qkv = block.qkv(layerNorm(pack.tokens, block.norm1, dtype_));
  const at::Tensor parts = qkv.view({qkv.size(0), 3, config_.heads, config_.headDim()});
  for (const auto& [part, norm] : {std::pair(0, &block.q_norm), std::pair(1, &block.k_norm)}) {
    if (!norm->weight.defined()) continue;
    at::Tensor heads = parts.select(1, part);
    heads.copy_(layerNorm(heads.to(stream_dtype_), *norm, dtype_));
  }
  if (metric != nullptr) {
    const at::Tensor keys = parts.select(1, 1);
    *metric = device_.is_cpu() ? headMeans(keys) : keys.mean(1, /*keepdim=*/false, deciding());
  }

  std::vector<AttentionImage> images(pack.images.size());
  for (std::size_t i = 0; i < images.size(); ++i) {
    const ImageState& image = pack.images[i];
    images[i].tokens = image.tokens();
    images[i].first_row = trace && config_.class_token;
    if (!proportional || !image.anyMerged()) continue;
    for (const float size : image.sizes()) images[i].log_sizes.push_back(std::log(size));
  }
  AttentionOutput output = attention(qkv, config_.heads, images);
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (images[i].first_row) pack.images[i].noteClassAttention(output.first_rows[i]);
  }
  return output.mixed;
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
    if (method.needsPatchMap()) layer.patch_tokens = image.patchTokens();
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

at::Tensor VisionTransformer::pool(const at::Tensor& features) const {
  const std::int64_t prefix = config_.prefixTokens();
  const at::Tensor token = features.narrow(0, 0, 1);
  if (config_.pooling == Pooling::kToken) return token;
  const at::Tensor average =
      features.narrow(0, prefix, features.size(0) - prefix).mean(0, /*keepdim=*/true);
  return config_.pooling == Pooling::kAverage ? average : at::cat({token, average}, 1);
}

at::Tensor VisionTransformer::poolAll(const at::Tensor& padded, const Padding& padding) const {
  const std::int64_t prefix = config_.prefixTokens();
  const at::Tensor token = padded.select(1, 0);
  if (config_.pooling == Pooling::kToken) return token;
  at::Tensor patches = padded.narrow(1, prefix, padded.size(1) - prefix);
  if (!padding.even()) {
    const at::Tensor absent = padding.absent().narrow(1, prefix, patches.size(1));
    patches = patches.masked_fill(absent.unsqueeze(2), 0);
  }
  // Sums of half precision may exceed its range, means do not.
  const at::ScalarType exact = stream_dtype_ == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor average =
      (patches.sum(1, /*keepdim=*/false, exact) / (padding.counts() - prefix)).to(stream_dtype_);
  return config_.pooling == Pooling::kAverage ? average : at::cat({token, average}, 1);
}

at::Tensor VisionTransformer::classify(const at::Tensor& pooled,
                                       const at::Tensor& distilled) const {
  at::Tensor result = layerNorm(pooled, fc_norm_, stream_dtype_);
  const at::Tensor input = result.to(dtype_);
  if (head_.defined()) result = head_(input, std::nullopt, stream_dtype_);
  if (head_dist_.defined()) {
    result = (result + head_dist_(distilled.to(dtype_), std::nullopt, stream_dtype_)) / 2;
  }
  return result;
}

VisionTransformer::Output VisionTransformer::forward(const at::Tensor& images,
                                                     const MergeMethod& method, bool trace,
                                                     const std::stop_token& stop) const {
  const c10::InferenceMode guard;
  // Where all that is heavy runs in kernels of ours, LibTorch has nothing left to divide.
  std::optional<LibTorchAside> aside;
  if (device_.is_cpu() && stream_dtype_ == at::kFloat) aside.emplace();
  using Stage = MergeMethod::Stage;
  const Stage stage = method.stage();
  Pack pack;
  pack.tokens = layerNorm(embed(images), pre_norm_, stream_dtype_);
  pack.images.assign(
      static_cast<std::size_t>(images.size(0)),
      ImageState(config_.prefixTokens(), config_.patchTokens(), method.needsPatchMap(), trace));

  for (int index = 0; index < config_.depth; ++index) {
    throwIfStopped(stop);
    const Block& block = blocks_[static_cast<std::size_t>(index)];
    for (ImageState& image : pack.images) image.beginBlock(index);
    if (stage == Stage::kBeforeBlock) merge(pack, index, method, {}, trace);
    for (ImageState& image : pack.images) image.noteAttention();
    at::Tensor metric;
    const bool between = stage == Stage::kBetweenAttentionAndMlp;
    block.proj.addTo(pack.tokens, attend(block, pack, method.proportionalAttention(),
                                         between ? &metric : nullptr, trace));
    if (between) merge(pack, index, method, metric, trace);
    for (ImageState& image : pack.images) image.noteMlp();
    block.fc2.addTo(pack.tokens,
                    block.fc1(layerNorm(pack.tokens, block.norm2, dtype_), config_.activation));
    for (ImageState& image : pack.images) image.endBlock();
  }
  throwIfStopped(stop);

  Output output;
  const at::Tensor tokens = layerNorm(pack.tokens, norm_, stream_dtype_);
  std::vector<std::int64_t> counts;
  std::int64_t offset = 0;
  for (const ImageState& image : pack.images) {
    counts.push_back(image.tokens());
    output.features.push_back(tokens.narrow(0, offset, image.tokens()));
    offset += image.tokens();
  }
  const std::int64_t distillation = head_dist_.defined() ? 1 : 0;
  if (device_.is_cpu()) {
    // LibTorch's products may round a row otherwise among others than alone.
    std::vector<at::Tensor> logits;
    for (const at::Tensor& features : output.features) {
      logits.push_back(classify(pool(features), features.narrow(0, distillation, 1)));
    }
    output.logits = at::cat(logits).to(at::kFloat);
  } else {
    const Padding padding(counts, device_);
    const at::Tensor padded = padding.pad(tokens);
    output.logits =
        classify(poolAll(padded, padding), padded.select(1, distillation)).to(at::kCPU, at::kFloat);
  }
  output.images = std::move(pack.images);
  return output;
}

}  // namespace adamerge
