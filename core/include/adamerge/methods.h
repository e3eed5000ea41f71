// SPDX-License-Identifier: GPL-3.0-or-later
// The registry of merging methods, as plain descriptions. Nothing else lists methods by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/settings.h"

namespace adamerge {

class Statistics;

struct MethodInfo {
  std::string id;           ///< "adamerge": command line, JSON
  std::string label;        ///< "AdaMerge"
  std::string description;  ///< one sentence
  std::string reference;    ///< paper
  std::string salience;     ///< what the method's salience map shows; empty where it has none
  /// Key of the integer setting that a compression slider drives; empty where there is none.
  std::string compression;
  bool uses_statistics = false;  ///< reads calibrated (mu, sigma) per block
  std::vector<SettingInfo> settings;

  /// nullptr where the method has no such setting.
  const SettingInfo* setting(std::string_view key) const;
};

/// All methods, in the order in which they are offered; "none" first.
const std::vector<MethodInfo>& methods();

/// Throws Error that lists the known ids.
const MethodInfo& findMethod(std::string_view id);

/// What to run: a method, its settings (missing keys take their default), and the calibration for
/// methods that use one.
struct MethodChoice {
  std::string method = "none";
  Settings settings;
  std::shared_ptr<const Statistics> statistics;
  /// Use `statistics` although they were made under other settings (the user named them).
  bool force_statistics = false;
};

/// Every setting in force, defaults filled in, each checked. Throws Error for unknown methods,
/// unknown keys and values out of range.
Settings completeSettings(const MethodChoice& choice);

/// The key a compression slider drives under these settings: AdaMerge with a constant count is
/// driven by "r" instead of "r_max". Empty where there is none.
std::string compressionKey(const MethodChoice& choice);

}  // namespace adamerge
