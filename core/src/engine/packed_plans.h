// SPDX-License-Identifier: GPL-3.0-or-later
// Plans carried out on packed tokens: those of several images, or of several windows, that stand
// one below the other, `counts` of each.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>

#include "merging/plan.h"

namespace adamerge {

/// The rows that `plans` leave of `tokens`.
at::Tensor applied(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                   const at::Tensor& tokens);

/// For each token the row of its group among the `plans`' new tokens. A dropped one that nobody
/// stands for has the first row of its image.
at::Tensor rowsBack(std::span<const MergePlan> plans, std::span<const std::int64_t> counts);

/// The tokens inside a block that is restored after it: M x, or means.
at::Tensor entered(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                   const at::Tensor& tokens);

/// What a block gave for the tokens inside it, `inside`, at all tokens again.
at::Tensor restored(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                    const at::Tensor& tokens, const at::Tensor& inside);

}  // namespace adamerge
