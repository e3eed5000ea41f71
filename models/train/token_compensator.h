// SPDX-License-Identifier: GPL-3.0-or-later
// Trains a Token Compensator (ToCom, arXiv 2408.06798) for a frozen model: small maps on queries
// and values that repair what changes between the counts of merges that a model was trained with
// and runs with. merging/compensator.h reads what is written here.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <functional>
#include <vector>

#include "adamerge/error.h"
#include "model/load_model.h"
#include "trainable_vit.h"
#include "training_data.h"

namespace adamerge::training {

class CompensatorMaps {
 public:
  /// 2 components per degree, as published. Down-maps are uniform within 1 / sqrt(dim), up-maps 0.
  CompensatorMaps(const VitConfig& vit, Random& random, at::Device device);

  /// Named as in the file.
  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Per block what is added to its qkv weight, [3 d, d], with gradients: scale U (t - t0) D, where
  /// the mask t of a count has ones in the last components, t0 that of `source`. Empty: equal.
  std::vector<at::Tensor> changes(int source, int target, double scale) const;

 private:
  std::vector<Parameter> parameters_;  ///< of each block q down, q up, v down, v up
};

/// Throws Error: see Compensator; no permission, full disk.
void writeCompensator(const CompensatorMaps& maps, const std::filesystem::path& path);

/// How far logits lie from those of the unmerged model, means over the held-out images.
struct CompensatorGain {
  int r = 0;
  double plain = 0;        ///< KL divergence, merged alone
  double compensated = 0;  ///< with the maps
};

struct CompensatorOptions {
  std::filesystem::path file;  ///< written after each epoch
  at::Device device = at::kCPU;
  std::function<void(int epoch, double loss)> on_epoch = {};
};

/// Each step draws two different counts r from 0 to 16, or what the grid allows: the student runs
/// with the target's r and the maps, the teacher with the source's, alone; the loss is the KL
/// divergence of their softmaxes. Of the recipe: epochs, batch, the highest learning rate (a cosine
/// leads to a hundredth of it, without warm-up), AdamW's settings, crops and flips, dtype.
/// `network` is frozen; `data` has a batch at least. Throws
/// Error: a model of one patch, a loss that is not finite; Cancelled.
std::vector<CompensatorGain> trainCompensator(const TrainableVit& network,
                                              const Preprocessing& preprocessing,
                                              const TrainingData& data, const Recipe& recipe,
                                              Random random, const CompensatorOptions& options,
                                              const ProgressCallback& progress = {},
                                              const std::stop_token& stop = {});

}  // namespace adamerge::training
