// SPDX-License-Identifier: GPL-3.0-or-later
// Activations of the MLP by themselves, and products gated by one (SwiGLU; Shazeer,
// arXiv:2002.05202). Those that follow a product at once are in linear.h.
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

}  // namespace adamerge
