// SPDX-License-Identifier: GPL-3.0-or-later
#include "batches.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <tuple>

#include "adamerge/image.h"

namespace adamerge::training {
namespace {

/// The same size, moved by (`dx`, `dy`) pixels over black, then mirrored.
Image moved(const Image& image, int dx, int dy, bool mirrored) {
  Image result{image.width, image.height, std::vector<std::uint8_t>(image.pixels.size(), 0)};
  for (int y = std::max(0, dy); y < std::min(image.height, image.height + dy); ++y) {
    for (int x = std::max(0, dx); x < std::min(image.width, image.width + dx); ++x) {
      const int to = mirrored ? image.width - 1 - x : x;
      std::copy_n(image.at(x - dx, y - dy), 3, result.at(to, y));
    }
  }
  return result;
}

/// `image(i)` gives image i of `count`.
template <class ImageOf>
at::Tensor preparedImages(std::int64_t count, const Preprocessing& preprocessing,
                          const ImageOf& image) {
  const at::Tensor images =
      at::empty({count, 3, preprocessing.crop_height, preprocessing.crop_width}, at::kFloat);
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::vector<float>& values = prepareImage(image(i), preprocessing).input.values;
      std::copy(values.begin(), values.end(), images.data_ptr<float>() + i * images.stride(0));
    }
  });
  return images;
}

void mix(Batch& batch, double share) {
  batch.images = batch.images * share + batch.images.flip(0) * (1.0 - share);
  batch.targets = batch.targets * share + batch.targets.flip(0) * (1.0 - share);
}

}  // namespace

at::Tensor augmentedImages(const Pictures& pictures, const at::Tensor& indices,
                           const Recipe& recipe, const Preprocessing& preprocessing,
                           Random& random) {
  const std::int64_t count = indices.size(0);
  const at::Tensor moves = random.integers(-recipe.padding, recipe.padding + 1, {count, 2});
  const at::Tensor flips = random.uniform({count});
  const auto index = indices.accessor<std::int64_t, 1>();
  const auto move = moves.accessor<std::int64_t, 2>();
  const auto flip = flips.accessor<float, 1>();
  return preparedImages(count, preprocessing, [&](std::int64_t i) {
    return moved(pictures.images[static_cast<std::size_t>(index[i])], static_cast<int>(move[i][0]),
                 static_cast<int>(move[i][1]), recipe.flip && flip[i] < 0.5F);
  });
}

Batch trainingBatch(const Pictures& pictures, const at::Tensor& indices, const Recipe& recipe,
                    int classes, Random& random) {
  const std::int64_t count = indices.size(0);
  const auto index = indices.accessor<std::int64_t, 1>();
  Batch batch;
  batch.images = augmentedImages(pictures, indices, recipe, preprocessingOf(recipe), random);
  const double smoothing = recipe.label_smoothing;
  batch.targets = at::full({count, classes}, smoothing / classes, at::kFloat);
  for (std::int64_t i = 0; i < count; ++i) {
    batch.targets[i][pictures.labels[static_cast<std::size_t>(index[i])]] += 1.0 - smoothing;
  }
  if (recipe.mixup > 0 && random.uniform({1}).item<float>() < recipe.mixup_share) {
    mix(batch, random.beta(recipe.mixup));
  }
  return batch;
}

at::Tensor plainImages(const Pictures& pictures, std::size_t first, std::size_t count,
                       const Preprocessing& preprocessing) {
  return preparedImages(static_cast<std::int64_t>(count), preprocessing,
                        [&](std::int64_t i) -> const Image& {
                          return pictures.images[first + static_cast<std::size_t>(i)];
                        });
}

Dropped drawDropped(const Recipe& recipe, std::int64_t batch, std::int64_t kept_patches,
                    std::int64_t patches, Random& random) {
  Dropped dropped;
  if (kept_patches < patches) {
    dropped.kept_patches =
        std::get<1>(random.uniform({batch, patches}).sort(1)).narrow(1, 0, kept_patches);
  }
  if (recipe.stochastic_depth > 0) {
    const std::int64_t depth = recipe.depth;
    const at::Tensor rates = at::linspace(0.0, recipe.stochastic_depth, depth, at::kFloat)
                                 .repeat_interleave(2)
                                 .unsqueeze(1);
    dropped.branches = random.uniform({2 * depth, batch}).ge(rates).to(at::kFloat) / (1.0 - rates);
  }
  return dropped;
}

}  // namespace adamerge::training
