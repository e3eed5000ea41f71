// SPDX-License-Identifier: GPL-3.0-or-later
// The registry of merging methods, as plain descriptions. Nothing else lists methods by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/model_info.h"
#include "adamerge/settings.h"

namespace adamerge {

struct Statistics;

/// An integer setting that drives how many tokens merge.
struct CompressionKnob {
  std::string key;
  double limit = 0.5;            ///< largest useful value, as a share of the model's patch tokens
  bool uses_statistics = false;  ///< each image's counts follow the layer statistics
};

struct MethodInfo {
  std::string id;           ///< "adamerge": command line, JSON
  std::string label;        ///< "AdaMerge"
  std::string description;  ///< one sentence
  std::string reference;    ///< paper
  std::string salience;     ///< what the method's salience map shows; empty where it has none
  bool matches_keys = false;  ///< decides by attention keys, so it has the setting "metric_keys"
  std::vector<CompressionKnob> compression;  ///< the first active one is the slider's
  /// Keys whose values calibrated statistics belong to; empty: the method uses no statistics.
  std::vector<std::string> statistics_settings;
  std::vector<SettingInfo> settings;

  /// nullptr where the method has no such setting.
  const SettingInfo* setting(std::string_view key) const;
  /// The one of `compression` whose counts follow layer statistics; nullptr where there is none.
  const CompressionKnob* statisticsKnob() const;
};

/// All methods, in the order in which they are offered; "none" first.
const std::vector<MethodInfo>& methods();

/// Throws Error that lists the known ids.
const MethodInfo& findMethod(std::string_view id);

/// Where a merged token lies, for networks with rotary positions; the setting "position".
enum class TokenPosition {
  kCentroid,      ///< at the mean of its patches
  kDestination,   ///< where its first destination lies
  kMeanRotation   ///< its patches' rotations, averaged as they are
};

/// What to run: a method, its settings (missing keys take their default), and the calibration for
/// methods that use one.
struct MethodChoice {
  std::string method = "none";
  Settings settings;
  /// Named by the user, so used even where made under other settings (with a warning). Null: the
  /// model's own, where they fit the settings.
  std::shared_ptr<const Statistics> statistics;
  bool ignore_statistics = false;  ///< run uncalibrated (z = 0), as calibration's first pass does
};

/// Every setting in force, defaults filled in, each checked. Throws Error for unknown methods,
/// unknown keys and values out of range.
Settings completeSettings(const MethodChoice& choice);

/// Whether `setting` has an effect under `settings` (complete).
bool isActive(const SettingInfo& setting, const Settings& settings);

/// Throws Error where a setting is named that this network has no use for.
void requireSettingsSuit(const MethodChoice& choice, const VitConfig& vit,
                         std::string_view model);

/// What drives compression here: AdaMerge with a constant count is driven by "r" instead of
/// "r_max". nullptr where there is nothing.
const CompressionKnob* compressionKnob(const MethodChoice& choice);

/// Whether counts follow the layer statistics here, and so differ from image to image: AdaMerge
/// with a constant count has no use for any.
bool usesStatistics(const MethodChoice& choice);

/// Throws Error where usesStatistics() does not hold; it names the setting that would change that.
void requireStatistics(const MethodChoice& choice);

}  // namespace adamerge
