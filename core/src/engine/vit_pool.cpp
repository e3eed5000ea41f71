// SPDX-License-Identifier: GPL-3.0-or-later
// From the final tokens to embedding and logits (merging-in-families, section 6), and what a dense
// head reads and says: the grid of patches restored from merged tokens, and its classes.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/vit.h"
#include "engine/windows.h"
#include "kernels/attention.h"
#include "kernels/padded.h"
#include "kernels/parallel.h"

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

namespace {

/// Where a place lies between two of a coarser axis.
struct Between {
  std::size_t first = 0;
  std::size_t second = 0;
  float share = 0;  ///< of the second
};

/// Bilinear, corners not aligned: place i lies at (i + 1/2) from / to - 1/2, within the axis.
std::vector<Between> places(std::int64_t to, std::int64_t from) {
  std::vector<Between> list(static_cast<std::size_t>(to));
  const double step = static_cast<double>(from) / static_cast<double>(to);
  for (std::int64_t i = 0; i < to; ++i) {
    const double place = std::max((static_cast<double>(i) + 0.5) * step - 0.5, 0.0);
    const auto first = std::min(static_cast<std::int64_t>(place), from - 1);
    list[static_cast<std::size_t>(i)] = {static_cast<std::size_t>(first),
                                         static_cast<std::size_t>(std::min(first + 1, from - 1)),
                                         static_cast<float>(place - static_cast<double>(first))};
  }
  return list;
}

/// to = first + (second - first) * share, element by element.
void blend(const float* first, const float* second, float share, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = first[i] * (1 - share) + second[i] * share;
}

}  // namespace

at::Tensor VisionTransformer::patchFeatures(const at::Tensor& tokens, const ImageState& image,
                                            Unmerge unmerge) const {
  const std::vector<int>& rows = image.patchTokens();
  const at::Tensor copied = tokens.index_select(
      0, sentTo(device_, at::tensor(std::vector<std::int64_t>(rows.begin(), rows.end()))));
  if (unmerge == Unmerge::kCopy) return copied;
  std::vector<int> members(static_cast<std::size_t>(image.tokens()), 0);
  for (const int row : rows) ++members[static_cast<std::size_t>(row)];
  const at::Tensor shared = at::empty({static_cast<std::int64_t>(rows.size()), 1}, at::kBool);
  for (std::size_t patch = 0; patch < rows.size(); ++patch) {
    shared.data_ptr<bool>()[patch] = members[static_cast<std::size_t>(rows[patch])] > 1;
  }
  const at::Tensor grid =
      copied.reshape({1, config_.gridHeight(), config_.gridWidth(), -1}).permute({0, 3, 1, 2});
  const at::Tensor means = at::avg_pool2d(grid, {3, 3}, {1, 1}, {1, 1}, /*ceil_mode=*/false,
                                          /*count_include_pad=*/false)
                               .permute({0, 2, 3, 1})
                               .reshape(copied.sizes());
  return at::where(sentTo(device_, shared), means, copied);
}

ClassMap VisionTransformer::classify(const at::Tensor& patches) const {
  const at::Tensor scores = layers_.dense(patches.to(dtype_), std::nullopt, stream_dtype_)
                                .to(at::kCPU, at::kFloat)
                                .contiguous();
  const auto* const all = scores.data_ptr<float>();
  const auto classes = static_cast<std::size_t>(scores.size(1));
  const auto columns = static_cast<std::size_t>(config_.gridWidth());
  const auto best = [classes](const float* row) {
    return std::max_element(row, row + classes) - row;  // of equal ones the first
  };
  ClassMap map;
  for (std::int64_t patch = 0; patch < scores.size(0); ++patch) {
    map.patches.push_back(static_cast<int>(best(all + static_cast<std::size_t>(patch) * classes)));
  }
  const std::vector<Between> across = places(config_.input_width, config_.gridWidth());
  const std::vector<Between> down = places(config_.input_height, config_.gridHeight());
  map.pixels.resize(down.size() * across.size());
  parallelFor(config_.input_height, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> row(columns * classes);
    std::vector<float> pixel(classes);
    for (auto y = static_cast<std::size_t>(first); y < static_cast<std::size_t>(last); ++y) {
      blend(all + down[y].first * row.size(), all + down[y].second * row.size(), down[y].share,
            row.size(), row.data());
      for (std::size_t x = 0; x < across.size(); ++x) {
        blend(row.data() + across[x].first * classes, row.data() + across[x].second * classes,
              across[x].share, classes, pixel.data());
        map.pixels[y * across.size() + x] = static_cast<std::uint16_t>(best(pixel.data()));
      }
    }
  });
  return map;
}

void noteWithin(const PicturePlace& picture, const VitConfig& vit, ClassMap& map) {
  const std::optional<InputSize> shown = pictureWithin(picture, vit);
  if (!shown) return;
  map.patches_in_picture = patchesWithin(shown, vit);
  map.pixels_in_picture.reserve(map.pixels.size());
  for (int y = 0; y < vit.input_height; ++y) {
    for (int x = 0; x < vit.input_width; ++x) {
      map.pixels_in_picture.push_back(y < shown->height && x < shown->width);
    }
  }
}

namespace {

bool counts(const std::vector<bool>& in_picture, std::size_t place) {
  return in_picture.empty() || in_picture[place];
}

struct Overlap {
  double agreement = 0;
  double miou = 0;
};

template <typename Class>
Overlap overlap(const std::vector<Class>& unmerged, const std::vector<Class>& merged,
                const std::vector<bool>& in_picture) {
  if (unmerged.empty()) return {};
  const std::size_t classes = 1 + std::max(*std::max_element(unmerged.begin(), unmerged.end()),
                                           *std::max_element(merged.begin(), merged.end()));
  std::vector<std::int64_t> both(classes);
  std::vector<std::int64_t> sum(classes);  // of either's places
  std::int64_t places = 0;
  for (std::size_t i = 0; i < unmerged.size(); ++i) {
    if (!counts(in_picture, i)) continue;
    ++places;
    ++sum[unmerged[i]];
    ++sum[merged[i]];
    if (unmerged[i] == merged[i]) ++both[unmerged[i]];
  }
  Overlap result;
  std::int64_t equal = 0;
  int present = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    if (sum[c] == 0) continue;
    equal += both[c];
    ++present;
    result.miou += static_cast<double>(both[c]) / static_cast<double>(sum[c] - both[c]);
  }
  result.miou /= present;
  result.agreement = static_cast<double>(equal) / static_cast<double>(places);
  return result;
}

}  // namespace

MapAgreement compareMaps(const ClassMap& unmerged, const ClassMap& merged) {
  const Overlap patches = overlap(unmerged.patches, merged.patches, unmerged.patches_in_picture);
  const Overlap pixels = overlap(unmerged.pixels, merged.pixels, unmerged.pixels_in_picture);
  return {patches.agreement, patches.miou, pixels.agreement, pixels.miou};
}

std::vector<bool> changedPatches(const ClassMap& unmerged, const ClassMap& merged) {
  std::vector<bool> changed(merged.patches.size());
  for (std::size_t patch = 0; patch < changed.size(); ++patch) {
    changed[patch] = counts(unmerged.patches_in_picture, patch) &&
                     merged.patches[patch] != unmerged.patches[patch];
  }
  return changed;
}

}  // namespace adamerge
