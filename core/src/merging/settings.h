// SPDX-License-Identifier: GPL-3.0-or-later
// Settings that methods are described with: one builder a kind, and those that several methods
// have.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "adamerge/methods.h"

namespace adamerge {

/// Far above any model's tokens; keeps counts well inside int.
inline constexpr std::int64_t kMaximumCount = 1'000'000;

SettingInfo wholeSetting(std::string key, std::string label, std::string help,
                         std::int64_t fallback, std::int64_t minimum, std::int64_t maximum);
SettingInfo realSetting(std::string key, std::string label, std::string help, double fallback,
                        double minimum, double maximum);
SettingInfo switchSetting(std::string key, std::string label, std::string help, bool fallback);
/// The first of `choices` is the default.
SettingInfo choiceSetting(std::string key, std::string label, std::string help,
                          std::vector<std::string> choices);
/// A file that is read; none by default.
SettingInfo pathSetting(std::string key, std::string label, std::string help);
/// Whole numbers in any count.
SettingInfo listSetting(std::string key, std::string label, std::string help,
                        std::vector<std::int64_t> fallback);
/// SettingInfo::active_when of one other setting.
std::vector<std::pair<std::string, SettingValue>> when(std::string key, SettingValue value);

/// "r": tokens merged in every block.
SettingInfo constantCountSetting();
/// "r_per_block", see countsPerBlock().
SettingInfo countsPerBlockSetting();
/// "r" where "r_per_block" is empty.
SettingInfo replaceableCountSetting();
/// "proportional_attention"; off inside windows.
SettingInfo proportionalAttentionSetting(bool fallback);
/// "inflection" of inflectedSchedule().
SettingInfo inflectionSetting();
/// "blocks": quarterBlocks() by default.
SettingInfo blocksSetting(std::string help);
/// The same, with all blocks by default.
SettingInfo allBlocksSetting(std::string help);

}  // namespace adamerge
