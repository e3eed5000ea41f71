// SPDX-License-Identifier: GPL-3.0-or-later
// What is done to each row by itself: activations and products gated by one (SwiGLU; Shazeer,
// arXiv:2002.05202), layer and RMS normalisation with the cast to the type of the product that
// follows, rotary positions (Su et al., arXiv:2104.09864). Activations that follow a product at
// once are in linear.h.
#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "adamerge/model_info.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/kernel_tables.h"

namespace adamerge {

/// As the kernels call it.
Finish finishOf(std::optional<Activation> activation);

at::Tensor activate(const at::Tensor& x, Activation activation);

/// activation(gate) * up, both [rows, columns], by LibTorch's own functions.
at::Tensor plainGated(const at::Tensor& gate, const at::Tensor& up, Activation activation,
                      std::optional<at::ScalarType> dtype = std::nullopt);

/// The same in `dtype` (default: gate's); on the CPU between fp32 and bf16 in one pass, each row's
/// bits depending on that row alone. Rows may be parts of longer ones.
at::Tensor gated(const at::Tensor& gate, const at::Tensor& up, Activation activation,
                 std::optional<at::ScalarType> dtype = std::nullopt, Isa isa = bestIsa());

/// The same of both side by side, x [rows, 2 H] -> [rows, H]: the gate first or the other.
at::Tensor gated(const at::Tensor& x, Activation activation, bool gate_first,
                 std::optional<at::ScalarType> dtype = std::nullopt, Isa isa = bestIsa());

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

/// Turns `heads` [tokens, heads, width] in place, of any floating type and device; it may be a view
/// of the rows of queries, keys and values. `cosines`, `sines`: [tokens, heads or 1, width / 2]
/// fp32, for fp64 also fp64. With g = width / 2, pairs are
/// - `halves`: (u_k, u_k+g) <- (u_k c_k - u_k+g s_k, u_k+g c_k + u_k s_k);
/// - else: (u_2k, u_2k+1) <- (u_2k c_k - u_2k+1 s_k, u_2k+1 c_k + u_2k s_k).
/// Computed in fp32 at least, by LibTorch's own functions.
void plainRotate(const at::Tensor& heads, const at::Tensor& cosines, const at::Tensor& sines,
                 bool halves);

/// The same; on the CPU in fp32 and bf16 by a kernel. A token's bits depend on that token alone.
void rotate(const at::Tensor& heads, const at::Tensor& cosines, const at::Tensor& sines,
            bool halves, Isa isa = bestIsa());

}  // namespace adamerge
