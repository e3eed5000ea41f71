// SPDX-License-Identifier: GPL-3.0-or-later
// JSON in and out, with messages that name the file.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "adamerge/settings.h"

namespace adamerge {

/// Throws Error: unreadable, empty, not JSON (with line and column).
nlohmann::json readJson(const std::filesystem::path& path);

/// Throws Error naming `what` ("model/config.json", "model.safetensors: the header") where the text
/// is not one JSON object.
nlohmann::json parseJsonObject(std::string_view text, const std::string& what);

/// Indented, valid UTF-8 whatever the strings hold, newline at the end.
std::string jsonText(const nlohmann::ordered_json& json);

template <class T>
nlohmann::ordered_json orNull(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json toJson(const SettingValue& value);
nlohmann::ordered_json toJson(const Settings& settings);
/// nullopt for what is no setting's value: null, an object, a list of anything but whole numbers.
std::optional<SettingValue> settingFromJson(const nlohmann::json& json);

}  // namespace adamerge
