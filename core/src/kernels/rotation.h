// SPDX-License-Identifier: GPL-3.0-or-later
// Rotary positions (Su et al., arXiv:2104.09864): queries and keys turned by the angles of their
// tokens, pair by pair of a head's elements.
#pragma once

#include <ATen/ATen.h>

#include "kernels/cpu/isa.h"

namespace adamerge {

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
