// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vit.h"

#include <cmath>

#include "adamerge/progress.h"
#include "merging/apply.h"
#include "merging/matching.h"

namespace adamerge {

at::Tensor VisionTransformer::Linear::operator()(const at::Tensor& x) const {
  return at::linear(x, weight, bias);
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
  const at::Tensor tokens = at::linear(patches, patch_weight_, patch_bias_)
                                .reshape({batch, config_.patchTokens(), config_.dim}) +
                            position_;
  if (!prefix_.defined()) return tokens.reshape({-1, config_.dim});
  return at::cat({prefix_.unsqueeze(0).expand({batch, -1, -1}), tokens}, 1)
      .reshape({-1, config_.dim});
}

at::Tensor VisionTransformer::attention(const Block& block, const Pack& pack, bool proportional,
                                        at::Tensor* metric) const {
  const std::int64_t total = pack.tokens.size(0);
  const std::int64_t heads = config_.heads;
  const at::Tensor qkv =
      block.qkv(normalise(pack.tokens, block.norm1)).reshape({total, 3, heads, config_.headDim()});
  const at::Tensor q = normalise(qkv.select(1, 0), block.q_norm) *
                       (1.0 / std::sqrt(static_cast<double>(config_.headDim())));
  const at::Tensor k = normalise(qkv.select(1, 1), block.k_norm);
  const at::Tensor v = qkv.select(1, 2);
  if (metric != nullptr) *metric = forDeciding(k).mean(1);

  at::Tensor mixed = at::empty({total, config_.dim}, pack.tokens.options());
  std::int64_t offset = 0;
  for (const ImageState& image : pack.images) {
    const std::int64_t count = image.tokens();
    const auto own = [&](const at::Tensor& t) {
      return t.narrow(0, offset, count).transpose(0, 1);
    };
    at::Tensor logits = own(q).matmul(own(k).transpose(1, 2));
    if (proportional && image.anyMerged()) {
      logits = logits + at::tensor(image.sizes(), at::kFloat).log().to(logits.options());
    }
    mixed.narrow(0, offset, count)
        .copy_(logits.softmax(-1).matmul(own(v)).transpose(0, 1).reshape({count, config_.dim}));
    offset += count;
  }
  return block.proj(mixed);
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

at::Tensor VisionTransformer::classify(const std::vector<at::Tensor>& features) const {
  std::vector<at::Tensor> pooled;
  std::vector<at::Tensor> distilled;
  const std::int64_t prefix = config_.prefixTokens();
  for (const at::Tensor& tokens : features) {
    const auto average = [&] { return tokens.narrow(0, prefix, tokens.size(0) - prefix).mean(0); };
    switch (config_.pooling) {
      case Pooling::kToken:
        pooled.push_back(tokens.select(0, 0));
        break;
      case Pooling::kAverage:
        pooled.push_back(average());
        break;
      case Pooling::kTokenAndAverage:
        pooled.push_back(at::cat({tokens.select(0, 0), average()}));
        break;
    }
    if (head_dist_.weight.defined()) distilled.push_back(tokens.select(0, 1));
  }
  at::Tensor result = normalise(at::stack(pooled), fc_norm_);
  if (head_.weight.defined()) result = head_(result);
  if (!distilled.empty()) result = (result + head_dist_(at::stack(distilled))) / 2;
  return result.to(at::kCPU, at::kFloat);
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
    const at::Tensor mixed = attention(block, pack, method.proportionalAttention(),
                                       stage == Stage::kBetweenAttentionAndMlp ? &metric : nullptr);
    pack.tokens = pack.tokens + (block.scale1.defined() ? mixed * block.scale1 : mixed);
    if (stage == Stage::kBetweenAttentionAndMlp) merge(pack, index, method, metric, trace);
    for (ImageState& image : pack.images) image.noteMlp();
    const at::Tensor hidden = block.fc2(activate(block.fc1(normalise(pack.tokens, block.norm2))));
    pack.tokens = pack.tokens + (block.scale2.defined() ? hidden * block.scale2 : hidden);
    for (ImageState& image : pack.images) image.endBlock();
  }
  throwIfStopped(stop);

  Output output;
  const at::Tensor tokens = normalise(pack.tokens, norm_);
  std::int64_t offset = 0;
  for (const ImageState& image : pack.images) {
    output.features.push_back(tokens.narrow(0, offset, image.tokens()));
    offset += image.tokens();
  }
  output.logits = classify(output.features);
  output.images = std::move(pack.images);
  return output;
}

}  // namespace adamerge
