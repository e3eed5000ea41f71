// SPDX-License-Identifier: GPL-3.0-or-later
// The merging methods: their settings, the layer statistics of those that use some, what is asked
// of them, and schedules of counts in files. merging/registry.cpp lists them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "adamerge/methods.h"
#include "adamerge/model_info.h"

namespace adamerge {

/// A list is a per-block schedule of counts.
using SettingValue =
    std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>>;

/// Values by key ("r_max", "partition", ...); keys not named keep their default.
using Settings = std::map<std::string, SettingValue, std::less<>>;

/// Which networks have a use for a setting.
enum class SettingScope {
  kAll,
  kRotary,     ///< those with rotary positions
  kPlaced,     ///< those where a merged token has a place: rotary positions, windowed attention
  kSequence,   ///< those whose tokens leave the sequence: all that restore nothing by themselves
  kInside,     ///< those that restore their grid in every block (VitConfig::restores())
  kWindowed,   ///< those of them with attention inside windows
  kAttention,  ///< those that attend
  kDense,      ///< those whose patches a dense head reads, where their tokens leave the sequence
};

/// Describes one setting of one method. The type of `fallback` is the type of the setting.
struct SettingInfo {
  std::string key;        ///< as in JSON: lower case, underscores
  std::string label;      ///< for a form
  std::string help;       ///< one or two sentences
  SettingValue fallback;  ///< the default
  std::optional<double> minimum;
  std::optional<double> maximum;
  std::vector<std::string> choices;  ///< for strings: all allowed values; for lists: words for some
  /// Has an effect only while other settings (first) have these values (second).
  std::vector<std::pair<std::string, SettingValue>> active_when;
  SettingScope scope = SettingScope::kAll;
  bool in_name = false;  ///< captions name it even at its default, as in "DSM, r 17, d 4"
  /// The default for a model, where it hangs on it; `fallback` is then that of 196 patches in 12
  /// blocks. Empty: `fallback` for all.
  std::function<SettingValue(const VitConfig&)> of_model = {};
  std::string fallback_text = {};  ///< that default in words, "half of the patch tokens"
  /// Has an effect only once the other setting, a path, is given.
  std::string active_with = {};
  bool is_path = false;  ///< a string that names a file; empty: none. `choices` are not read
  /// For lists with words: what one of them means for a model.
  std::function<SettingValue(const std::string&, const VitConfig&)> of_word = {};
  std::size_t tuple = 0;  ///< for lists of tuples, as boxes: so many numbers each; 0: plain numbers
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

/// Mean and deviation of each block's redundancy, from which counts that follow the image are
/// standardised (AdaMerge, Eq. 5).
struct StatisticsEntry {
  int r_max = 0;              ///< the value of Statistics::knob
  std::vector<double> mu;     ///< [depth]
  std::vector<double> sigma;  ///< [depth], population standard deviation
};

struct Statistics {
  std::string model;
  int depth = 0;
  int passes = 2;
  int images = 0;
  std::string source;          ///< where the images came from
  std::string created;         ///< ISO 8601 date
  std::string dtype;           ///< of the engine that made them; may be empty
  Settings settings;           ///< those they were made under; missing keys have their default
  std::string knob = "r_max";  ///< the setting that they were made for some values of
  std::vector<StatisticsEntry> entries;  ///< ascending in r_max, at least one
};

/// mu and sigma for any r_max: interpolated linearly between the two nearest stored ones; outside
/// the stored range, the nearest.
StatisticsEntry interpolate(const Statistics& statistics, int r_max);

/// Throws Error: unreadable, not JSON, not this format, arrays of another length than depth,
/// negative or non-finite numbers, r_max not ascending.
Statistics readStatistics(const std::filesystem::path& path);

/// Writes beside and renames. Throws Error.
void writeStatistics(const Statistics& statistics, const std::filesystem::path& path);

/// An integer setting that drives how many tokens are left.
struct CompressionKnob {
  std::string key;
  double limit = 0.5;            ///< largest useful value, as a share of the model's patch tokens
  bool uses_statistics = false;  ///< each image's counts follow the layer statistics
  bool keeps = false;            ///< it says what stays, so FLOPs rise with it
  int least = 0;                 ///< smallest value
  /// Largest useful value under these settings (complete); empty: `limit` says it.
  std::function<int(const Settings&, const VitConfig&)> most = {};
  /// FLOPs may differ from image to image even at one value, so they are measured on several.
  bool varies = false;
  /// Is a knob only while the other setting (first) has the value (second).
  std::optional<std::pair<std::string, SettingValue>> active_when = std::nullopt;

  /// `most`, or what `limit` makes of the model's patch tokens.
  int mostOf(const Settings& settings, const VitConfig& vit) const;
  /// Statistics hang on no value of it: they are made once, at the one that is set.
  bool calibratesOnce() const { return keeps; }
};

/// From the value that compresses least to the one that compresses most; ends may be equal.
struct KnobRange {
  int gentlest = 0;
  int strongest = 0;
  int steps() const { return gentlest < strongest ? strongest - gentlest : gentlest - strongest; }
  int at(int step) const { return gentlest < strongest ? gentlest + step : gentlest - step; }
};

struct MethodInfo {
  std::string id;              ///< "adamerge": command line, JSON
  std::string label;           ///< "AdaMerge"
  std::string description;     ///< one sentence
  std::string reference;       ///< paper
  std::string salience;        ///< what the method's salience map shows; empty where it has none
  bool matches_keys = false;   ///< decides by attention keys, so it has the setting "metric_keys"
  bool merges_inside = false;  ///< runs in networks that restore their grid in every block
  std::vector<CompressionKnob> compression;  ///< the first active one is the slider's
  /// Keys whose values calibrated statistics belong to; empty: the method uses no statistics.
  std::vector<std::string> statistics_settings;
  /// What it does where it wants statistics and has none, {} being the knob: "every block merges
  /// half of {}".
  std::string uncalibrated;
  std::vector<SettingInfo> settings;

  /// nullptr where the method has no such setting.
  const SettingInfo* setting(std::string_view key) const;
  /// The one of `compression` whose counts follow layer statistics; nullptr where there is none.
  const CompressionKnob* statisticsKnob() const;
  /// What other settings have to be for that; empty: nothing.
  std::vector<std::pair<std::string, SettingValue>> statisticsConditions() const;
  /// The one of `compression` that has an effect under `settings` (complete); nullptr where there
  /// is none.
  const CompressionKnob* activeKnob(const Settings& settings) const;
};

/// All methods, in the order in which they are offered; "none" first.
const std::vector<MethodInfo>& methods();

/// Throws Error that lists the known ids.
const MethodInfo& findMethod(std::string_view id);

/// Whether a network can run a method at all. Throws Error that lists the known ids.
bool runsIn(std::string_view method, const VitConfig& vit);

/// Where a merged token lies; the setting "position".
enum class TokenPosition {
  kCentroid,     ///< at the mean of its patches; in windows: the mean of their relative positions
  kDestination,  ///< where its first destination lies
  kMeanRotation  ///< its patches' rotations, averaged as they are
};

/// What a dense head reads at patches that share a token; the setting "unmerge".
enum class Unmerge {
  kCopy,    ///< the token
  kAverage  ///< the mean over the 3 x 3 patches around of what copying gives
};

/// What to run: a method, its settings (missing keys take their default), and the calibration for
/// methods that use one.
struct MethodChoice {
  std::string method = "none";
  Settings settings;
  /// Named by the user, so used even where made under other settings (with a warning). Null: the
  /// model's own, where they fit the settings.
  std::shared_ptr<const Statistics> statistics;
  bool ignore_statistics = false;    ///< run uncalibrated (z = 0), as calibration's first pass does
  std::int64_t schedule_tokens = 0;  ///< Schedule::tokens, where counts per block come from one
};

/// A choice as evaluations and benchmarks measure it.
struct MeasuredChoice {
  MethodChoice choice;
  std::optional<double> tier = std::nullopt;  ///< G: the FLOPs its setting was chosen for
};

/// Every setting in force, defaults filled in, each checked. Of those for networks that restore
/// their grid, and of those for all others, only the ones that `choice` goes with: the others where
/// it names none. Throws Error for unknown methods, unknown keys and values out of range.
Settings completeSettings(const MethodChoice& choice);

/// The same for a model: defaults that hang on it are its own, and what it has no use for is left
/// out.
Settings completeSettings(const MethodChoice& choice, const VitConfig& vit);

/// What `setting` is for a model where nobody says.
SettingValue defaultOf(const SettingInfo& setting, const VitConfig& vit);

/// Where a user points in a picture, in its pixels; the settings "boxes" and "points".
struct Prompts {
  std::vector<std::int64_t> boxes;   ///< x0, y0, x1, y1 of each
  std::vector<std::int64_t> points;  ///< x, y of each

  bool any() const { return !boxes.empty() || !points.empty(); }
  bool operator==(const Prompts&) const = default;
};
/// None where the settings have none.
Prompts promptsOf(const Settings& settings);

/// Whether `setting` has an effect under `settings` (complete).
bool isActive(const SettingInfo& setting, const Settings& settings);
/// The first of its conditions (`active_when`) that does not hold; null: all do.
const std::pair<std::string, SettingValue>* unmet(const SettingInfo& setting,
                                                  const Settings& settings);

/// Whether a network has a use for `setting`.
bool suits(const SettingInfo& setting, const VitConfig& vit);
/// Whether only networks of the other kind have it: those that restore their grid in every block
/// where `restores` is false, those that do not where it is true.
bool isForOthers(const SettingInfo& setting, bool restores);

/// Whether making it ready for a model reads a file or runs the model: nothing to wait for on a
/// thread that answers somebody.
bool isSlowToPrepare(const MethodChoice& choice);

/// Throws Error where the method cannot run in this network, or a setting is named that it has no
/// use for. One at its default does
/// no harm: only where `strict`, since somebody typed it, is it refused too.
void requireSettingsSuit(const MethodChoice& choice, const VitConfig& vit, std::string_view model,
                         bool strict = false);

/// What drives compression here: AdaMerge with a constant count is driven by "r" instead of
/// "r_max". nullptr where there is nothing.
const CompressionKnob* compressionKnob(const MethodChoice& choice);

/// What compressionKnob() may be set to for a model; {0, 0} where there is none.
KnobRange knobRange(const MethodChoice& choice, const VitConfig& vit);

/// Whether counts follow the layer statistics here, and so differ from image to image: AdaMerge
/// with a constant count has no use for any.
bool usesStatistics(const MethodChoice& choice);

/// Throws Error where usesStatistics() does not hold; it names the setting that would change that.
void requireStatistics(const MethodChoice& choice);

/// Counts per block under a name, in files that the studio's schedule editor and the command line
/// share.
struct Schedule {
  std::string name;
  std::vector<std::int64_t> counts;  ///< tokens that go in each block, from the first
  /// That the network begins with which it was made for, class token included; 0: not told.
  std::int64_t tokens = 0;
};

/// That counts made for so many tokens (Schedule::tokens) leave other shares in this network, in a
/// sentence; empty: it has as many, or nobody knows.
std::string otherTokensWarning(std::int64_t tokens, const VitConfig& vit);

/// Whether a setting is a count for each block, which a schedule may give.
bool isSchedule(const SettingInfo& setting);

/// All schedules of a JSON file, at least one: that of writeSchedule(), or those of DiffRate's
/// compression_rate.json (ICCV 2023), "ViT-S-DeiT 2.9" and so on. DiffRate tells the tokens left
/// by pruning and by merging; what goes by either is one count here. Its pyramids are left out.
/// Throws Error naming the file and what is wrong.
std::vector<Schedule> readSchedules(const std::filesystem::path& path);

/// The one that `place` names: "FILE" where it holds a single one, else "FILE#NAME". Throws Error,
/// which lists the names.
Schedule readSchedule(const std::string& place);

/// Writes beside and renames. Throws Error.
void writeSchedule(const Schedule& schedule, const std::filesystem::path& path);

}  // namespace adamerge
