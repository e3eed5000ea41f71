// SPDX-License-Identifier: GPL-3.0-or-later
// Settings of merging methods: described once, so that command line, UI and tests enumerate them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace adamerge {

/// A list is a per-block schedule of counts.
using SettingValue =
    std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>>;

/// Values by key ("r_max", "partition", ...); keys not named keep their default.
using Settings = std::map<std::string, SettingValue, std::less<>>;

/// Describes one setting of one method. The type of `fallback` is the type of the setting.
struct SettingInfo {
  std::string key;        ///< as in JSON: lower case, underscores
  std::string label;      ///< for a form
  std::string help;       ///< one or two sentences
  SettingValue fallback;  ///< the default
  std::optional<double> minimum;
  std::optional<double> maximum;
  std::vector<std::string> choices;  ///< for strings: all allowed values
  /// Has an effect only while the other setting (first) has the value (second).
  std::optional<std::pair<std::string, SettingValue>> active_when;
  /// Exists for networks with rotary positions only.
  bool rotary_only = false;
  bool in_name = false;  ///< captions name it even at its default, as in "DSM, r 17, d 4"
};

/// "r_max" -> "r-max": how the command line spells a key.
std::string optionName(std::string_view key);

/// A value as a person writes it: "16", "0.5", "on", "sequential", "8,8,4".
std::string toText(const SettingValue& value);

/// Reads `text` as a value of the setting's type and checks its range.
/// Throws Error naming the option, what was given and what it takes.
SettingValue parseSetting(const SettingInfo& info, std::string_view text);

/// Throws Error where the value's type or range does not fit the description. An integer given for
/// a real-valued setting is converted.
SettingValue checkedSetting(const SettingInfo& info, const SettingValue& value);

}  // namespace adamerge
