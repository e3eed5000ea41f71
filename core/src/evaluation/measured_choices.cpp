// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/measured_choices.h"

#include <fmt/format.h>

#include <algorithm>

#include "adamerge/error.h"
#include "support/json.h"

namespace adamerge {

using Json = nlohmann::ordered_json;

std::vector<EvaluationChoice> withUnmerged(std::span<const EvaluationChoice> choices) {
  std::vector<EvaluationChoice> all{{MethodChoice{}, std::nullopt}};
  for (const EvaluationChoice& entry : choices) {
    const bool again = std::any_of(all.begin(), all.end(), [&](const EvaluationChoice& other) {
      return other.choice.method == entry.choice.method && other.tier == entry.tier &&
             completeSettings(other.choice) == completeSettings(entry.choice);
    });
    if (!again && entry.choice.method != "none") all.push_back(entry);
  }
  return all;
}

Json toJson(std::span<const EvaluationChoice> choices) {
  Json list = Json::array();
  for (const EvaluationChoice& entry : choices) {
    list.push_back({{"method", entry.choice.method},
                    {"settings", toJson(completeSettings(entry.choice))},
                    {"tier", entry.tier ? Json(*entry.tier) : Json(nullptr)}});
  }
  return list;
}

std::vector<EvaluationChoice> choicesFromJson(const nlohmann::json& json) {
  std::vector<EvaluationChoice> choices;
  for (const nlohmann::json& item : json) {
    EvaluationChoice entry;
    entry.choice.method = item.at("method").get<std::string>();
    for (const auto& [key, value] : item.at("settings").items()) {
      const std::optional<SettingValue> setting = settingFromJson(value);
      if (!setting) throw Error(fmt::format("its \"{}\" is no setting's value", key));
      entry.choice.settings[key] = *setting;
    }
    completeSettings(entry.choice);
    if (!item.at("tier").is_null()) entry.tier = item.at("tier").get<double>();
    choices.push_back(std::move(entry));
  }
  return choices;
}

std::optional<std::vector<EvaluationChoice>> matchedBefore(std::span<const EvaluationChoice> found,
                                                           std::span<const MethodChoice> methods,
                                                           std::span<const double> tiers) {
  std::vector<EvaluationChoice> list;
  for (const double tier : tiers) {
    for (const MethodChoice& method : methods) {
      const CompressionKnob* knob = compressionKnob(method);
      if (knob == nullptr) continue;
      EvaluationChoice wanted{method, tier};
      const bool known = std::any_of(found.begin(), found.end(), [&](const auto& before) {
        const auto count = before.choice.settings.find(knob->key);
        if (before.choice.method != method.method || before.tier != tier ||
            count == before.choice.settings.end()) {
          return false;
        }
        wanted.choice.settings[knob->key] = count->second;
        return completeSettings(wanted.choice) == completeSettings(before.choice);
      });
      if (!known) return std::nullopt;
      list.push_back(std::move(wanted));
    }
  }
  return list;
}

}  // namespace adamerge
