// SPDX-License-Identifier: GPL-3.0-or-later
// From the final tokens to embedding and logits; merging-in-families, section 6.
#include <cmath>
#include <numeric>

#include "engine/vit.h"
#include "kernels/attention.h"

namespace adamerge {
namespace {

std::vector<float> logSizes(std::span<const float> sizes) {
  std::vector<float> logs;
  logs.reserve(sizes.size());
  for (const float size : sizes) logs.push_back(std::log(size));
  return logs;
}

}  // namespace

at::Tensor meanOverPatches(const at::Tensor& tokens, std::span<const float> sizes) {
  const bool plain = std::all_of(sizes.begin(), sizes.end(), [](float s) { return s == 1.0F; });
  if (plain) return tokens.mean(0, /*keepdim=*/true);
  const float total = std::accumulate(sizes.begin(), sizes.end(), 0.0F);
  const at::ScalarType exact = tokens.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  at::Tensor shares = at::empty({static_cast<std::int64_t>(sizes.size()), 1}, at::kFloat);
  std::transform(sizes.begin(), sizes.end(), shares.data_ptr<float>(),
                 [total](float size) { return size / total; });
  shares = shares.to(at::TensorOptions().device(tokens.device()).dtype(exact));
  return (tokens.to(exact) * shares).sum(0, /*keepdim=*/true).to(tokens.scalar_type());
}

at::Tensor VisionTransformer::pool(const at::Tensor& features, const ImageState& image,
                                   bool proportional) const {
  const std::int64_t first = config_.pool_prefix ? 0 : config_.prefixTokens();
  const at::Tensor token = features.narrow(0, 0, 1);
  const at::Tensor patches = features.narrow(0, first, features.size(0) - first);
  const std::span<const float> sizes =
      std::span(image.sizes()).subspan(static_cast<std::size_t>(first));
  const auto mean = [&] { return meanOverPatches(patches, sizes); };
  const auto maximum = [&] { return patches.amax(0, /*keepdim=*/true); };
  switch (config_.pooling) {
    case Pooling::kToken:
      return token;
    case Pooling::kAverage:
      return mean();
    case Pooling::kMaximum:
      return maximum();
    case Pooling::kAverageAndMaximum:
      return (mean() + maximum()) / 2;
    case Pooling::kTokenAndAverage:
      return at::cat({token, mean()}, 1);
    case Pooling::kAttention:
      return poolByAttention(features, image, proportional);
    case Pooling::kSelfAttention:
      break;
  }
  const std::vector<float> bias =
      proportional && image.anyMerged() ? logSizes(image.sizes()) : std::vector<float>();
  const at::Tensor mixed = pooledAttention(features, features, features, config_.heads, bias);
  return config_.class_token ? mixed.narrow(0, 0, 1) : meanOverPatches(mixed, image.sizes());
}

at::Tensor VisionTransformer::poolByAttention(const at::Tensor& features, const ImageState& image,
                                              bool proportional) const {
  const PoolLayers& pool = layers_.pool;
  const AttentionPool& config = config_.attention_pool;
  const std::int64_t first = config.prefix ? 0 : config_.prefixTokens();
  const at::Tensor seen = features.narrow(0, first, features.size(0) - first);
  const at::Tensor query = layerNorm(pool.latent.narrow(0, 0, 1), pool.query_norm, dtype_);
  const at::Tensor q = pool.q(query);
  const at::Tensor kv = pool.kv(layerNorm(seen, pool.key_norm, dtype_));
  std::vector<float> bias;
  if (proportional && image.anyMerged()) {
    bias = logSizes(std::span(image.sizes()).subspan(static_cast<std::size_t>(first)));
  }
  const at::Tensor mixed =
      pooledAttention(q, kv.narrow(1, 0, config.width), kv.narrow(1, config.width, config.width),
                      config.heads, bias);
  at::Tensor result = pool.proj(mixed, std::nullopt, stream_dtype_);
  if (config.mlp_hidden > 0) {
    pool.fc2.addTo(result, pool.fc1(layerNorm(result, pool.norm, dtype_), config.activation));
  }
  return result;
}

at::Tensor VisionTransformer::project(const at::Tensor& pooled) const {
  at::Tensor result = layerNorm(pooled, layers_.fc_norm, stream_dtype_);
  if (!layers_.projection.defined()) return result;
  if (layers_.projection2.defined()) {
    return layers_.projection2(layers_.projection(result.to(dtype_), Activation::kGelu),
                               std::nullopt, stream_dtype_);
  }
  result = layers_.projection(result.to(dtype_), std::nullopt, stream_dtype_);
  return config_.projection_tanh ? result.tanh() : result;
}

at::Tensor VisionTransformer::classify(const at::Tensor& embedding,
                                       const at::Tensor& distilled) const {
  if (!layers_.head.defined()) return embedding.narrow(1, 0, 0);
  at::Tensor input = embedding;
  if (config_.normalised_head) {
    constexpr double kLeast = 1e-12;
    input = input / input.norm(2, 1, /*keepdim=*/true).clamp_min(kLeast);
  }
  at::Tensor result = layers_.head(input.to(dtype_), std::nullopt, stream_dtype_);
  if (layers_.head_dist.defined()) {
    result = (result + layers_.head_dist(distilled.to(dtype_), std::nullopt, stream_dtype_)) / 2;
  }
  return result;
}

}  // namespace adamerge
