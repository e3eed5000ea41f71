// SPDX-License-Identifier: GPL-3.0-or-later
// AFNO's token mixer (Guibas et al., "Adaptive Fourier Neural Operators", ICLR 2022, algorithm 1):
// a grid's Fourier modes, each through a small MLP of complex numbers, and back.
#pragma once

#include <ATen/ATen.h>

#include "adamerge/model_info.h"

namespace adamerge {

/// Of the real transform's [height, width / 2 + 1] modes; the others become 0.
struct KeptModes {
  int first_row = 0;
  int rows = 0;
  int columns = 0;

  int count() const { return rows * columns; }
};
KeptModes keptModes(const FourierFilter& filter, int grid_height, int grid_width);

class FourierMixer {
 public:
  /// As FilterLayers of model/network.h has them.
  struct Weights {
    at::Tensor w1, b1, w2, b2;
  };
  /// Computes in `type`, fp32 or fp64: no transform is in half precision everywhere.
  FourierMixer(const FourierFilter& filter, int grid_height, int grid_width, const Weights& weights,
               at::Device device, at::ScalarType type);

  /// The filtered tokens plus `tokens` themselves, [images * height * width, d], in the mixer's
  /// type. On the CPU each image by itself, so that it gets the same bits among others as alone.
  at::Tensor operator()(const at::Tensor& tokens) const;

 private:
  at::Tensor mix(const at::Tensor& grids) const;

  FourierFilter filter_;
  int height_;
  int width_;
  KeptModes kept_;
  at::Tensor w1_, b1_, w2_,
      b2_;  ///< complex products as real ones: [B, 2 in, 2 out], [B, 1, 2 out]
};

}  // namespace adamerge
