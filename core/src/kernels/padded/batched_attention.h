// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "kernels/attention.h"

namespace adamerge {

/// attention() of all segments at once, those of fewer tokens padded, by the fused kernels of
/// LibTorch 2.x: for accelerators, which it waits for only where first rows are wanted, once.
AttentionOutput batchedAttention(const at::Tensor& qkv, std::int64_t heads,
                                 std::span<const Segment> segments);

}  // namespace adamerge
