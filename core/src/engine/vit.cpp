// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vit.h"

#include <cmath>

#include "adamerge/progress.h"
#include "engine/kernels/head_products.h"
#include "merging/apply.h"
#include "merging/matching.h"

namespace adamerge {

std::vector<std::int64_t> VisionTransformer::Pack::rows() const {
  std::vector<std::int64_t> counts;
  for (const ImageState& image : images) counts.push_back(image.tokens());
  return counts;
}

at::Tensor VisionTransformer::project(const Linear& linear, const at::Tensor& x,
                                      const std::vector<std::int64_t>& rows) const {
  if (!device_.is_cpu() || rows.size() == 1) return linear(x);
  // A BLAS chooses its kernel by the number of rows, so that one product over all images would give
  // an image other last bits than it gets alone, and a merge can hang on those.
  std::vector<at::Tensor> parts;
  std::int64_t offset = 0;
  for (const std::int64_t count : rows) {
    parts.push_back(linear(x.narrow(0, offset, count)));
    offset += count;
  }
  return at::cat(parts);
}

at::Tensor VisionTransformer::normalise(const at::Tensor& x, const Norm& norm) const {
  if (!norm.weight.defined()) return x;
  return at::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias, config_.norm_epsilon);
}

at::Tensor VisionTransformer::activate(const at::Tensor& x) const {
  switch (config_.activation) {
    case Activation::kGelu:
      return at::gelu(x);
    case Activation::kGeluTanh:
      return at::gelu(x, "tanh");
    case Activation::kQuickGelu:
      return x * at::sigmoid(x * 1.702);
  }
  return x;
}

at::Tensor VisionTransformer::embed(const at::Tensor& images) const {
  const std::int64_t batch = images.size(0);
  const std::int64_t p = config_.patch_size;
  // A convolution whose stride is its kernel is one matrix product over the unfolded patches.
  const at::Tensor patches =
      images.to(at::TensorOptions().device(device_).dtype(dtype_))
          .reshape({batch, config_.channels, config_.gridHeight(), p, config_.gridWidth(), p})
          .permute({0, 2, 4, 1, 3, 5})
          .reshape({batch * config_.patchTokens(), config_.channels * p * p});
  const at::Tensor tokens =
      project(patch_, patches,
              std::vector<std::int64_t>(static_cast<std::size_t>(batch), config_.patchTokens()))
          .reshape({batch, config_.patchTokens(), config_.dim}) +
      position_;
  if (!prefix_.defined()) return tokens.reshape({-1, config_.dim});
  return at::cat({prefix_.unsqueeze(0).expand({batch, -1, -1}), tokens}, 1)
      .reshape({-1, config_.dim});
}

at::Tensor VisionTransformer::attention(const Block& block, Pack& pack, bool proportional,
                                        at::Tensor* metric, bool trace) const {
  const std::int64_t total = pack.tokens.size(0);
  const std::int64_t heads = config_.heads;
  const at::Tensor qkv = project(block.qkv, normalise(pack.tokens, block.norm1), pack.rows())
                             .reshape({total, 3, heads, config_.headDim()});
  const at::Tensor q = normalise(qkv.select(1, 0), block.q_norm) *
                       (1.0 / std::sqrt(static_cast<double>(config_.headDim())));
  const at::Tensor k = normalise(qkv.select(1, 1), block.k_norm);
  const at::Tensor v = qkv.select(1, 2);
  if (metric != nullptr) *metric = forDeciding(k).mean(1);

  at::Tensor mixed = at::empty({total, config_.dim}, pack.tokens.options());
  std::int64_t offset = 0;
  for (ImageState& image : pack.images) {
    const std::int64_t count = image.tokens();
    const auto own = [&](const at::Tensor& t) {
      return t.narrow(0, offset, count).transpose(0, 1);
    };
    at::Tensor logits = at::empty({heads, count, count}, q.options());
    multiplyHeads(own(q), own(k).transpose(1, 2), logits);
    if (proportional && image.anyMerged()) {
      logits = logits + at::tensor(image.sizes(), at::kFloat).log().to(logits.options());
    }
    const at::Tensor weights = logits.softmax(-1);
    if (trace && config_.class_token) {
      const at::Tensor row = weights.select(1, 0).to(at::kFloat).mean(0).to(at::kCPU).contiguous();
      image.noteClassAttention({row.data_ptr<float>(), static_cast<std::size_t>(count)});
    }
    multiplyHeads(
        weights, own(v),
        mixed.narrow(0, offset, count).view({count, heads, config_.headDim()}).transpose(0, 1));
    offset += count;
  }
  return project(block.proj, mixed, pack.rows());
}

void VisionTransformer::merge(Pack& pack, int block, const MergeMethod& method,
                              const at::Tensor& metric, bool trace) const {
  std::vector<at::Tensor> parts;
  bool changed = false;
  std::int64_t offset = 0;
  for (ImageState& image : pack.images) {
    const std::int64_t count = image.tokens();
    LayerTokens layer;
    layer.block = block;
    layer.prefix = config_.prefixTokens();
    layer.tokens = pack.tokens.narrow(0, offset, count);
    if (metric.defined()) layer.metric = metric.narrow(0, offset, count);
    layer.trace = trace;
    layer.sizes = image.sizes();
    if (method.needsPatchMap()) layer.patch_tokens = image.patchTokens();
    const MergePlan plan = method.plan(layer);
    parts.push_back(applyToTokens(plan, layer.tokens));
    changed = changed || !plan.merges.empty();
    image.apply(plan);
    offset += count;
  }
  if (changed) pack.tokens = at::cat(parts);
}

at::Tensor VisionTransformer::classify(const at::Tensor& features) const {
  const std::int64_t prefix = config_.prefixTokens();
  const auto token = [&](std::int64_t position) { return features.narrow(0, position, 1); };
  const auto average = [&] {
    return features.narrow(0, prefix, features.size(0) - prefix).mean(0, /*keepdim=*/true);
  };
  at::Tensor pooled;
  switch (config_.pooling) {
    case Pooling::kToken:
      pooled = token(0);
      break;
    case Pooling::kAverage:
      pooled = average();
      break;
    case Pooling::kTokenAndAverage:
      pooled = at::cat({token(0), average()}, 1);
      break;
  }
  at::Tensor result = normalise(pooled, fc_norm_);
  if (head_.defined()) result = head_(result);
  if (head_dist_.defined()) result = (result + head_dist_(token(1))) / 2;
  return result;
}

VisionTransformer::Output VisionTransformer::forward(const at::Tensor& images,
                                                     const MergeMethod& method, bool trace,
                                                     const std::stop_token& stop) const {
  const c10::InferenceMode guard;
  using Stage = MergeMethod::Stage;
  const Stage stage = method.stage();
  Pack pack;
  pack.tokens = normalise(embed(images), pre_norm_);
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
    const at::Tensor mixed =
        attention(block, pack, method.proportionalAttention(),
                  stage == Stage::kBetweenAttentionAndMlp ? &metric : nullptr, trace);
    pack.tokens = pack.tokens + (block.scale1.defined() ? mixed * block.scale1 : mixed);
    if (stage == Stage::kBetweenAttentionAndMlp) merge(pack, index, method, metric, trace);
    for (ImageState& image : pack.images) image.noteMlp();
    const std::vector<std::int64_t> rows = pack.rows();
    const at::Tensor hidden = project(
        block.fc2, activate(project(block.fc1, normalise(pack.tokens, block.norm2), rows)), rows);
    pack.tokens = pack.tokens + (block.scale2.defined() ? hidden * block.scale2 : hidden);
    for (ImageState& image : pack.images) image.endBlock();
  }
  throwIfStopped(stop);

  Output output;
  const at::Tensor tokens = normalise(pack.tokens, norm_);
  std::vector<at::Tensor> logits;
  std::int64_t offset = 0;
  for (const ImageState& image : pack.images) {
    output.features.push_back(tokens.narrow(0, offset, image.tokens()));
    logits.push_back(classify(output.features.back()));
    offset += image.tokens();
  }
  output.logits = at::cat(logits).to(at::kCPU, at::kFloat);
  output.images = std::move(pack.images);
  return output;
}

}  // namespace adamerge
