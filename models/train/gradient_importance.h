// SPDX-License-Identifier: GPL-3.0-or-later
// What Prune and Merge (arXiv 2503.23455) lays its groups out by: how much the loss hangs on the
// attention that each patch receives. Needs gradients, hence the network that is trained.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "adamerge/calibrate.h"
#include "adamerge/dataset.h"
#include "model/load_model.h"
#include "trainable_vit.h"

namespace adamerge::training {

struct LabelledBatch {
  at::Tensor images;  ///< [batch, 3, height, width], fp32, normalised
  at::Tensor labels;  ///< [batch], int64
};

/// [depth][patches]: the sum over the batches of |mean over images, heads and queries of (d loss /
/// d A * A)|, A the softmax of a block's attention, the loss the batch's mean cross-entropy.
std::vector<std::vector<double>> gradientScores(
    const TrainableVit& vit, std::int64_t batches,
    const std::function<LabelledBatch(std::int64_t batch)>& load,
    const ProgressCallback& progress = {}, const std::stop_token& stop = {});

/// Over 20 batches of 64 images of `data`, which is opened for the model, or all that there are.
Importance gradientImportance(const LoadedModel& model, const Dataset& data, at::Device device,
                              const ProgressCallback& progress = {},
                              const std::stop_token& stop = {});

}  // namespace adamerge::training
