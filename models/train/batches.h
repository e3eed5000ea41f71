// SPDX-License-Identifier: GPL-3.0-or-later
// From bytes to what the network is fed. Every image, augmented or not, goes through the core's own
// Pillow-exact preprocessing, several at a time.
#pragma once

#include <ATen/ATen.h>

#include "random.h"
#include "recipe.h"
#include "trainable_vit.h"
#include "training_data.h"

namespace adamerge::training {

struct Batch {
  at::Tensor images;   ///< [batch, 3, height, width], fp32, normalised, on the CPU
  at::Tensor targets;  ///< [batch, classes], fp32: probabilities
};

/// Images `indices` ([batch], int64), each moved by up to the recipe's padding (black comes in from
/// outside), flipped at random, resized; their labels smoothed; on a share of the batches every
/// image mixed with its opposite in the batch.
Batch trainingBatch(const Pictures& pictures, const at::Tensor& indices, const Recipe& recipe,
                    int classes, Random& random);

/// Images `indices` as trainingBatch() moves and flips them, not mixed: [batch, 3, height, width].
at::Tensor augmentedImages(const Pictures& pictures, const at::Tensor& indices,
                           const Recipe& recipe, const Preprocessing& preprocessing,
                           Random& random);

/// Images [first, first + count) as they are: [count, 3, height, width].
at::Tensor plainImages(const Pictures& pictures, std::size_t first, std::size_t count,
                       const Preprocessing& preprocessing);

/// Which patches and branches a training step leaves out.
Dropped drawDropped(const Recipe& recipe, std::int64_t batch, std::int64_t kept_patches,
                    std::int64_t patches, Random& random);

}  // namespace adamerge::training
