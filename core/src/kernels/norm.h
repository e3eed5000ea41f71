// SPDX-License-Identifier: GPL-3.0-or-later
// Layer and RMS normalisation with the cast to the type of the product that follows.
#pragma once

#include <ATen/ATen.h>

#include "kernels/cpu/isa.h"

namespace adamerge {

struct LayerNorm {
  at::Tensor weight;  ///< [d]; undefined: the identity
  at::Tensor bias;    ///< [d] or undefined
  double epsilon = 1e-6;
  /// x / sqrt(mean(x^2) + epsilon) * weight (Zhang and Sennrich, NeurIPS 2019); no bias.
  bool rms = false;
};

/// By LibTorch's own functions: x [..., d] -> the same shape in `dtype`.
at::Tensor plainLayerNorm(const at::Tensor& x, const LayerNorm& norm, at::ScalarType dtype);

/// The same; on the CPU from fp32 to fp32 or bf16 in one pass, each row's bits depending on that
/// row alone.
at::Tensor layerNorm(const at::Tensor& x, const LayerNorm& norm, at::ScalarType dtype,
                     Isa isa = bestIsa());

}  // namespace adamerge
