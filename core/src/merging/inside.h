// SPDX-License-Identifier: GPL-3.0-or-later
// What methods share that merge inside the parts of a network which restores its grid in every
// block (dense, section 2): settings, counts, and how plans of windows become one of the grid.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "merging/method.h"

namespace adamerge {

/// The setting "ratio", per cent of each window's tokens, in place of counts.
SettingInfo insideRatioSetting(int most);
/// "blocks": all, global, windowed, or a list.
SettingInfo insideBlocksSetting();
/// The same for a method that has a list of blocks in other networks too.
void addBlockWords(SettingInfo& blocks);
/// The knob "ratio" of such a method, which is one of networks that restore alone.
CompressionKnob insideRatioKnob(int most);

/// floor(ratio * n / 100), at most half of n.
std::int64_t insideCount(std::int64_t ratio, std::int64_t n);

/// Keeps the first `r` merges of a window of `count` tokens, and the order that goes with them.
void keepFirst(MergePlan& plan, std::int64_t r, std::int64_t count);

/// One plan over the grid of `columns` columns from those of its windows: the tokens left stand
/// window by window, in each as its plan has them.
MergePlan joinedPlan(std::span<const Window> windows, std::span<const MergePlan> plans,
                     int columns);

}  // namespace adamerge
