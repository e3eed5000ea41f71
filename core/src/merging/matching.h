// SPDX-License-Identifier: GPL-3.0-or-later
// Bipartite matching shared by the methods.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/matching_ops.h"
#include "merging/method.h"

namespace adamerge {

/// Indices of `values`, largest first; equal values keep their order.
std::vector<std::int64_t> descending(const std::vector<float>& values);

/// ToMe's bipartite soft matching (ICLR 2023, Sec. 3): even positions into odd ones by cosine of
/// the metric, the r best; prefix tokens stay and stay first. r is clamped to floor(patches / 2).
/// The plan's weights are the token sizes. `cells`: one number per token, and only tokens of the
/// same one merge; empty: all may.
MergePlan toMePlan(const LayerTokens& layer, std::int64_t r, const std::vector<int>& cells = {});
/// toMePlan() of each image for MergeMethod::planAll(), `cells` of each.
std::vector<MergePlan> toMePlans(std::span<const LayerTokens> layers, std::int64_t r,
                                 const std::vector<std::vector<int>>& cells = {});

/// Far above any model's tokens; keeps counts well inside int.
inline constexpr double kMaximumCount = 1e6;

/// The setting "r": tokens merged in every block.
SettingInfo constantCountSetting();
SettingInfo proportionalAttentionSetting(bool fallback);
/// The setting "blocks": those, from 0, that a method acts in; all of them unless named.
SettingInfo blocksSetting(std::string help);
/// Throws Error where r exceeds half of the model's patch tokens.
void requireCountFits(std::int64_t r, const VitConfig& vit, const char* option);

}  // namespace adamerge
