// SPDX-License-Identifier: GPL-3.0-or-later
// The linear layers of a Vision Transformer: x W^T + b. On the CPU in fp32 the weights are packed
// once for oneDNN's kernels, which on AVX-512 run several times faster than the BLAS that LibTorch
// calls; everywhere else it is at::linear.
#pragma once

#include <ATen/ATen.h>

#include <memory>

namespace adamerge {

class PackedLinear {
 public:
  PackedLinear() = default;
  /// `weight` [out, in], `bias` [out] or undefined.
  PackedLinear(const at::Tensor& weight, const at::Tensor& bias);

  bool defined() const { return packed_ != nullptr || weight_.defined(); }
  /// `x` [rows, in] -> [rows, out]. The same row gives the same bits for the same number of rows
  /// and threads. May be called from several threads.
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  struct Packed;
  at::Tensor weight_;  ///< undefined where it is packed
  at::Tensor bias_;
  std::shared_ptr<const Packed> packed_;
};

}  // namespace adamerge
