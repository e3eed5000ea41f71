// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "adamerge/error.h"
#include "merging/entries.h"
#include "merging/settings.h"

namespace adamerge {
namespace {

SettingInfo scoped(SettingInfo setting, SettingScope scope) {
  setting.scope = scope;
  return setting;
}

SettingInfo positionSetting() {
  return scoped(
      choiceSetting(
          "position", "Position",
          "Where a merged token lies, for rotary positions: at the mean of its patches, where its "
          "destination lies, or turned by the mean of its patches' rotations. In windows (Segment "
          "Anything): mean, over all pairs of patches, or destination.",
          {"centroid", "destination", "mean-rotation", "mean"}),
      SettingScope::kPlaced);
}

SettingInfo metricKeysSetting() {
  return scoped(choiceSetting("metric_keys", "Matched keys",
                              "Whether tokens are matched by their keys before the rotation, by "
                              "content alone, or after it, so that near ones are preferred.",
                              {"content", "rotated"}),
                SettingScope::kRotary);
}

SettingInfo unmergeSetting() {
  return scoped(
      choiceSetting("unmerge", "Unmerging",
                    "What a dense head reads at patches that share a token: the token as it is, or "
                    "the mean of the 3 x 3 patches around, which softens the borders that copying "
                    "draws.",
                    {"copy", "average"}),
      SettingScope::kDense);
}

const std::vector<MethodEntry>& entries() {
  static const std::vector<MethodEntry> all = [] {
    std::vector<MethodEntry> list{
        noneEntry(),        adaMergeEntry(),     toMeEntry(),       piToMeEntry(), toFuEntry(),
        dsmEntry(),         adaMergePlusEntry(), atcEntry(),        pptEntry(),    pruneSidEntry(),
        cubistMergeEntry(), structSamEntry(),    pruneMergeEntry(), focusEntry()};
    // Settings of the run, which every method has.
    for (MethodEntry& entry : list) {
      MethodInfo& info = entry.info;
      SettingInfo position = positionSetting();
      // The public code of StructSAM.
      const std::string inside = info.id == "structsam" ? "destination" : "mean";
      position.of_model = [inside](const VitConfig& vit) -> SettingValue {
        return vit.isWindowed() ? inside : std::string("centroid");
      };
      info.settings.push_back(std::move(position));
      if (info.matches_keys) info.settings.push_back(metricKeysSetting());
      if (!info.compression.empty()) info.settings.push_back(unmergeSetting());
      if (!info.statistics_settings.empty()) info.statistics_settings.emplace_back("position");
    }
    return list;
  }();
  return all;
}

std::vector<std::string> settingOptions(const MethodInfo& info) {
  std::vector<std::string> names;
  for (const SettingInfo& setting : info.settings) names.push_back("--" + optionName(setting.key));
  return names;
}

}  // namespace

const SettingInfo* MethodInfo::setting(std::string_view key) const {
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&](const SettingInfo& s) { return s.key == key; });
  return found == settings.end() ? nullptr : &*found;
}

const CompressionKnob* MethodInfo::statisticsKnob() const {
  const auto found = std::find_if(compression.begin(), compression.end(),
                                  [](const CompressionKnob& knob) { return knob.uses_statistics; });
  return found == compression.end() ? nullptr : &*found;
}

std::vector<std::pair<std::string, SettingValue>> MethodInfo::statisticsConditions() const {
  const CompressionKnob* knob = statisticsKnob();
  if (knob == nullptr) return {};
  std::vector<std::pair<std::string, SettingValue>> conditions = setting(knob->key)->active_when;
  if (knob->active_when) conditions.push_back(*knob->active_when);
  return conditions;
}

const CompressionKnob* MethodInfo::activeKnob(const Settings& complete) const {
  const auto found =
      std::find_if(compression.begin(), compression.end(), [&](const CompressionKnob& knob) {
        const auto& when = knob.active_when;
        if (when && complete.count(when->first) > 0 && complete.at(when->first) != when->second) {
          return false;
        }
        return complete.count(knob.key) > 0 && isActive(*setting(knob.key), complete);
      });
  return found == compression.end() ? nullptr : &*found;
}

const std::vector<MethodInfo>& methods() {
  static const std::vector<MethodInfo> infos = [] {
    std::vector<MethodInfo> list;
    for (const MethodEntry& entry : entries()) list.push_back(entry.info);
    return list;
  }();
  return infos;
}

const MethodEntry& findMethodEntry(std::string_view id) {
  std::vector<std::string> known;
  for (const MethodEntry& entry : entries()) {
    if (entry.info.id == id) return entry;
    known.push_back(entry.info.id);
  }
  throw Error(fmt::format("there is no method '{}'; known are {}", id, fmt::join(known, ", ")));
}

const MethodInfo& findMethod(std::string_view id) { return findMethodEntry(id).info; }

namespace {

bool isInside(const SettingInfo& setting) {
  return setting.scope == SettingScope::kInside || setting.scope == SettingScope::kWindowed;
}

/// Settings that no model has completed tell by their names what they are for.
bool namesInside(const MethodInfo& info, const Settings& settings) {
  return std::any_of(settings.begin(), settings.end(), [&](const auto& entry) {
    const SettingInfo* setting = info.setting(entry.first);
    return setting != nullptr && isInside(*setting);
  });
}

/// `vit`: null where defaults are to be those of no model in particular.
Settings completed(const MethodChoice& choice, const VitConfig* vit) {
  const MethodInfo& info = findMethod(choice.method);
  for (const auto& [key, value] : choice.settings) {
    if (info.setting(key) != nullptr) continue;
    if (info.settings.empty()) {
      throw Error(
          fmt::format("--{} is no setting of {}, which has none", optionName(key), info.id));
    }
    throw Error(fmt::format("--{} is no setting of {}, which has {}", optionName(key), info.id,
                            fmt::join(settingOptions(info), ", ")));
  }
  const bool restores = vit != nullptr ? vit->restores() : namesInside(info, choice.settings);
  Settings complete;
  for (const SettingInfo& setting : info.settings) {
    if (isForOthers(setting, restores) || (vit != nullptr && restores && !suits(setting, *vit))) {
      continue;
    }
    const auto given = choice.settings.find(setting.key);
    if (given != choice.settings.end()) {
      SettingValue value = checkedSetting(setting, given->second);
      const auto* word = std::get_if<std::string>(&value);
      if (vit != nullptr && setting.of_word && word != nullptr)
        value = setting.of_word(*word, *vit);
      complete[setting.key] = std::move(value);
    } else {
      complete[setting.key] = vit != nullptr ? defaultOf(setting, *vit) : setting.fallback;
    }
  }
  return complete;
}

}  // namespace

void requireClassToken(const VitConfig& vit, std::string_view method) {
  if (vit.class_token) return;
  throw Error(fmt::format(
      "{} ranks tokens by the class token's attention, and this model has no class token", method));
}

std::vector<bool> chosenBlocks(const Settings& settings, std::string_view key, int depth) {
  std::vector<bool> chosen(static_cast<std::size_t>(depth), false);
  for (const std::int64_t block : get<std::vector<std::int64_t>>(settings, key)) {
    if (block < 0 || block >= depth) {
      throw Error(fmt::format("--{} names block {}: this model has blocks 0 to {}", optionName(key),
                              block, depth - 1));
    }
    chosen[static_cast<std::size_t>(block)] = true;
  }
  return chosen;
}

SettingValue quarterBlocks(const VitConfig& vit) {
  std::vector<std::int64_t> blocks;
  for (const int part : {1, 2, 3}) {
    const std::int64_t block = part * vit.depth / 4;
    if (blocks.empty() || blocks.back() != block) blocks.push_back(block);
  }
  return blocks;
}

SettingValue defaultOf(const SettingInfo& setting, const VitConfig& vit) {
  return setting.of_model ? setting.of_model(vit) : setting.fallback;
}

Prompts promptsOf(const Settings& settings) {
  const auto listOf = [&](const char* key) {
    const auto found = settings.find(key);
    return found == settings.end() ? std::vector<std::int64_t>()
                                   : get<std::vector<std::int64_t>>(settings, key);
  };
  return {listOf("boxes"), listOf("points")};
}

Settings completeSettings(const MethodChoice& choice) { return completed(choice, nullptr); }
Settings completeSettings(const MethodChoice& choice, const VitConfig& vit) {
  return completed(choice, &vit);
}

bool isForOthers(const SettingInfo& setting, bool restores) {
  return restores ? setting.scope == SettingScope::kSequence : isInside(setting);
}

bool suits(const SettingInfo& setting, const VitConfig& vit) {
  switch (setting.scope) {
    case SettingScope::kAll:
      return true;
    case SettingScope::kRotary:
      return vit.isRotary();
    case SettingScope::kPlaced:
      return vit.placesTokens();
    case SettingScope::kSequence:
      return !vit.restores();
    case SettingScope::kInside:
      return vit.restores();
    case SettingScope::kWindowed:
      return vit.isWindowed();
    case SettingScope::kAttention:
      return !vit.mixesByFourier();
    case SettingScope::kDense:
      return vit.dense.classes > 0 && !vit.restores();
  }
  return true;
}

bool isActive(const SettingInfo& setting, const Settings& settings) {
  if (!setting.active_with.empty()) {
    const auto file = settings.find(setting.active_with);
    if (file == settings.end() || std::get<std::string>(file->second).empty()) return false;
  }
  return unmet(setting, settings) == nullptr;
}

const std::pair<std::string, SettingValue>* unmet(const SettingInfo& setting,
                                                  const Settings& settings) {
  for (const auto& condition : setting.active_when) {
    const auto other = settings.find(condition.first);
    if (other == settings.end() || other->second != condition.second) return &condition;
  }
  return nullptr;
}

namespace {

/// What a network lacks that has no use for a setting.
std::string_view needed(SettingScope scope) {
  switch (scope) {
    case SettingScope::kRotary:
      return "networks with rotary positions";
    case SettingScope::kPlaced:
      return "networks with rotary positions";
    case SettingScope::kSequence:
      return "networks whose tokens leave the sequence";
    case SettingScope::kInside:
      return "networks that restore their grid in every block (Segment Anything, AFNO)";
    case SettingScope::kWindowed:
      return "Segment Anything's encoders";
    case SettingScope::kAttention:
      return "networks with attention";
    case SettingScope::kDense:
    case SettingScope::kAll:
      break;
  }
  return "other networks";
}

/// Words of "position" that this network has no use for.
bool isOtherPosition(const std::string& key, const SettingValue& value, const VitConfig& vit) {
  const auto* word = std::get_if<std::string>(&value);
  if (key != "position" || word == nullptr) return false;
  if (vit.isWindowed()) return *word != "mean" && *word != "destination";
  return *word == "mean";
}

}  // namespace

bool runsIn(std::string_view method, const VitConfig& vit) {
  return !vit.restores() || findMethod(method).merges_inside;
}

void requireSettingsSuit(const MethodChoice& choice, const VitConfig& vit, std::string_view model,
                         bool strict) {
  const MethodInfo& info = findMethod(choice.method);
  if (!runsIn(info.id, vit)) {
    std::vector<std::string> able;
    for (const MethodInfo& method : methods()) {
      if (method.merges_inside) able.push_back(method.id);
    }
    throw Error(fmt::format("{} cannot run in {}, which restores its grid in every block: {} can",
                            info.id, model, fmt::join(able, ", ")));
  }
  for (const auto& [key, value] : choice.settings) {
    const SettingInfo* setting = info.setting(key);
    if (setting == nullptr) continue;
    if (suits(*setting, vit)) {
      if (!isOtherPosition(key, value, vit)) continue;
      // Completed without a model it stands at a default that is another network's.
      if (!strict && value == setting->fallback) continue;
      throw Error(fmt::format(
          "--{} {} is for {}; {} takes {}", optionName(key), toText(value),
          vit.isWindowed() ? "networks with rotary positions" : "Segment Anything's encoders",
          model,
          vit.isWindowed() ? "mean and destination" : "centroid, destination and mean-rotation"));
    }
    // Completed without a model it stands at another network's default.
    if (!strict && (value == setting->fallback || value == defaultOf(*setting, vit))) continue;
    if (setting->scope == SettingScope::kDense) {
      throw Error(
          vit.restores()
              ? fmt::format("--{}: nothing is left to unmerge in {}, which restores its grid in "
                            "every block",
                            optionName(key), model)
              : fmt::format("--{} is about what a dense head reads; --dense-head names one",
                            optionName(key)));
    }
    const std::string_view missing = vit.restores() || setting->scope == SettingScope::kInside ||
                                             setting->scope == SettingScope::kWindowed
                                         ? "is none"
                                         : "has none";
    throw Error(fmt::format("--{} is for {}; {} {}", optionName(key), needed(setting->scope), model,
                            missing));
  }
}

const CompressionKnob* compressionKnob(const MethodChoice& choice) {
  return findMethod(choice.method).activeKnob(completeSettings(choice));
}

int CompressionKnob::mostOf(const Settings& settings, const VitConfig& vit) const {
  return most ? most(settings, vit) : static_cast<int>(vit.patchTokens() * limit);
}

KnobRange knobRange(const MethodChoice& choice, const VitConfig& vit) {
  const CompressionKnob* knob = compressionKnob(choice);
  if (knob == nullptr) return {};
  const int most = knob->mostOf(completeSettings(choice, vit), vit);
  return knob->keeps ? KnobRange{most, knob->least} : KnobRange{knob->least, most};
}

bool isSlowToPrepare(const MethodChoice& choice) {
  const MethodInfo& info = findMethod(choice.method);
  const auto names_file = [&](const auto& entry) {
    const SettingInfo* setting = info.setting(entry.first);
    const auto* path = std::get_if<std::string>(&entry.second);
    return setting != nullptr && setting->is_path && path != nullptr && !path->empty();
  };
  // Importance is read from the model's folder, or measured, where no file of it is named.
  return info.setting("importance_file") != nullptr ||
         std::any_of(choice.settings.begin(), choice.settings.end(), names_file);
}

bool usesStatistics(const MethodChoice& choice) {
  const CompressionKnob* knob = compressionKnob(choice);
  return knob != nullptr && knob->uses_statistics;
}

void requireStatistics(const MethodChoice& choice) {
  if (usesStatistics(choice)) return;
  const MethodInfo& info = findMethod(choice.method);
  const Settings complete = completeSettings(choice);
  for (const auto& [key, value] : info.statisticsConditions()) {
    if (complete.at(key) == value) continue;
    throw Error(fmt::format("{} uses layer statistics only with --{} {}", info.id, optionName(key),
                            toText(value)));
  }
  throw Error(fmt::format("{} uses no layer statistics", info.id));
}

}  // namespace adamerge
