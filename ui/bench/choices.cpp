// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/choices.h"

#include <algorithm>
#include <array>

namespace adamerge::ui {
namespace {

constexpr std::array<const char*, 4> kFirstMethods{"adamerge", "tome", "pitome", "dsm"};
/// In networks that restore their grid.
constexpr std::array<const char*, 4> kFirstInside{"adamerge", "tome", "structsam", "none"};

}  // namespace

MethodChoice firstChoice(int index, const std::set<std::string>& shown, const LoadedModel* model) {
  const bool inside = model != nullptr && model->info.vit.restores();
  const auto& first = inside ? kFirstInside : kFirstMethods;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const char* id = first[(i + static_cast<std::size_t>(index)) % first.size()];
    if (!shown.contains(id)) return {id, {}, nullptr, false};
  }
  return {first[static_cast<std::size_t>(index)], {}, nullptr, false};
}

MethodChoice fitted(const MethodChoice& choice, const LoadedModel* model) {
  MethodChoice result = choice;
  if (model == nullptr) {
    result.settings = completeSettings(choice);
    return result;
  }
  const VitConfig& vit = model->info.vit;
  const MethodInfo& method = findMethod(choice.method);
  const bool of_others =
      std::any_of(choice.settings.begin(), choice.settings.end(), [&](const auto& entry) {
        const SettingInfo* setting = method.setting(entry.first);
        return setting != nullptr && isForOthers(*setting, vit.restores());
      });
  // Completed for a network that does not restore its grid, or the other way round.
  for (const char* key : {"position", "proportional_attention", "blocks"}) {
    if (of_others) result.settings.erase(key);
  }
  result.settings = completeSettings(result, vit);
  for (const CompressionKnob& knob : method.compression) {
    const auto found = result.settings.find(knob.key);
    if (found == result.settings.end()) continue;  // of other networks
    auto& value = std::get<std::int64_t>(found->second);
    value = std::clamp<std::int64_t>(value, knob.least, knob.mostOf(result.settings, vit));
  }
  for (const SettingInfo& setting : method.settings) {
    if (const auto found = result.settings.find(setting.key);
        found != result.settings.end() && !suits(setting, vit)) {
      found->second = setting.fallback;
    }
  }
  if (result.statistics != nullptr && result.statistics->depth != vit.depth) {
    result.statistics.reset();
  }
  return result;
}

MethodChoice withoutDefaults(MethodChoice choice, const LoadedModel* before) {
  const MethodChoice bare{choice.method, {}, nullptr, false};
  const Settings defaults =
      before != nullptr ? completeSettings(bare, before->info.vit) : completeSettings(bare);
  for (const SettingInfo& setting : findMethod(choice.method).settings) {
    const auto found = choice.settings.find(setting.key);
    const auto fallback = defaults.find(setting.key);
    if (setting.of_model && found != choice.settings.end() && fallback != defaults.end() &&
        found->second == fallback->second) {
      choice.settings.erase(found);
    }
  }
  return choice;
}

}  // namespace adamerge::ui
