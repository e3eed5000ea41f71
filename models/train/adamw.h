// SPDX-License-Identifier: GPL-3.0-or-later
// AdamW (Loshchilov and Hutter, 2019) over a network's parameters, and gradient clipping.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "trainable_vit.h"

namespace adamerge::training {

class AdamW {
 public:
  struct Settings {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double weight_decay = 0.01;
    double epsilon = 1e-8;
  };
  /// `parameters` must outlive this. `rates`: factors of the learning rate, one per parameter;
  /// empty: 1 for all.
  AdamW(const std::vector<Parameter>& parameters, const Settings& settings,
        std::vector<double> rates = {});

  /// Update number `number`, counted from 1; every parameter must have a gradient. Clears them.
  void update(double learning_rate, std::int64_t number);

  /// One per parameter, fp32; to be written and filled in place.
  const std::vector<at::Tensor>& firstMoments() const { return first_; }
  const std::vector<at::Tensor>& secondMoments() const { return second_; }

 private:
  const std::vector<Parameter>& parameters_;
  Settings settings_;
  std::vector<at::Tensor> values_;
  std::vector<double> rates_;
  std::vector<at::Tensor> decaying_;  ///< those of values_ that decay
  std::vector<double> decaying_rates_;
  std::vector<at::Tensor> first_;
  std::vector<at::Tensor> second_;
};

/// The factors of a rate that falls by `decay` from block to block towards the input: 1 for the
/// norm at the end and the head, `decay` for the last block, and so on; embeddings last. `depth`
/// blocks.
std::vector<double> layerRates(const std::vector<Parameter>& parameters, double decay, int depth);

/// Scales all gradients so that their norm together is at most `limit` (0: leaves them) and returns
/// the norm they had: a scalar on their device, so that nobody waits for it.
at::Tensor clipGradients(const std::vector<Parameter>& parameters, double limit);

}  // namespace adamerge::training
