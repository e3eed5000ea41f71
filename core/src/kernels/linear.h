// SPDX-License-Identifier: GPL-3.0-or-later
// The linear layers of a Vision Transformer: x W^T + b, with what follows them. On the CPU the
// weights are packed once in the order our kernels read them, fp32, bf16 and int8. Elsewhere, and
// in other types, it is plainLinear().
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <optional>

#include "adamerge/model_info.h"
#include "kernels/cpu/isa.h"

namespace adamerge {

/// What PackedLinear computes, by LibTorch's own functions.
at::Tensor plainLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       std::optional<Activation> activation);

class PackedLinear {
 public:
  PackedLinear() = default;
  /// `weight` [out, in], `bias` [out] or undefined, of the same type. `isa`: at most bestIsa().
  PackedLinear(const at::Tensor& weight, const at::Tensor& bias, Isa isa = bestIsa());

  /// With weights in int8, a scale for each output, and each row of x in 7 bits as it comes, see
  /// Int8Kernels. `weight` fp32 on the CPU, `bias` of any type or undefined; x fp32 or bf16. Throws
  /// Error: more than Int8Kernels::kDeepest inputs.
  static PackedLinear int8(const at::Tensor& weight, const at::Tensor& bias, Isa isa = bestIsa());

  bool defined() const { return packed_ != nullptr || weight_.defined(); }

  /// `x` [rows, in] of the weight's type -> [rows, out] in `dtype` (default: that of x). On the CPU
  /// in fp32 and bf16 the same row gives the same bits for any number of rows and threads. May be
  /// called from several threads.
  at::Tensor operator()(const at::Tensor& x, std::optional<Activation> activation = std::nullopt,
                        std::optional<at::ScalarType> dtype = std::nullopt) const;
  /// `sums` [rows, out] += the result, not rounded to x's type before. `sums`: rows adjacent.
  void addTo(at::Tensor& sums, const at::Tensor& x) const;

  /// The layer whose weight is this one's plus `change` [out, in], summed in fp64.
  PackedLinear plus(const at::Tensor& change) const;

 private:
  struct Packed;
  struct Fp32;
  struct Half;
  struct Whole;
  at::Tensor weight_;  ///< undefined where it is packed
  at::Tensor bias_;
  std::shared_ptr<const Packed> packed_;
};

}  // namespace adamerge
