// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/json.h"

#include <fmt/format.h>

#include <algorithm>

#include "adamerge/error.h"
#include "support/files.h"

namespace adamerge {

nlohmann::json readJson(const std::filesystem::path& path) {
  const std::string text = readTextFile(path);
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    const std::size_t end = std::min(error.byte, text.size());
    const auto line =
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
    throw Error(fmt::format("{}: not valid JSON: it breaks off or goes wrong at line {}",
                            path.string(), line + 1));
  } catch (const nlohmann::json::out_of_range&) {
    throw Error(
        fmt::format("{}: not valid JSON: it holds a number that is too large", path.string()));
  }
}

nlohmann::json parseJsonObject(std::string_view text, const std::string& what) {
  try {
    nlohmann::json value = nlohmann::json::parse(text.begin(), text.end());
    if (!value.is_object()) {
      throw Error(fmt::format("{} is a JSON {}, an object is expected", what, value.type_name()));
    }
    return value;
  } catch (const nlohmann::json::parse_error& error) {
    throw Error(fmt::format("{} is not valid JSON (near byte {} of {})", what,
                            std::min(error.byte, text.size()), text.size()));
  } catch (const nlohmann::json::exception&) {
    throw Error(fmt::format("{} is JSON with numbers out of range", what));
  }
}

std::string jsonText(const nlohmann::ordered_json& json) {
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

nlohmann::ordered_json toJson(const SettingValue& value) {
  return std::visit([](const auto& v) { return nlohmann::ordered_json(v); }, value);
}

nlohmann::ordered_json toJson(const Settings& settings) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [key, value] : settings) json[key] = toJson(value);
  return json;
}

std::optional<SettingValue> settingFromJson(const nlohmann::json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_array()) return std::nullopt;
  std::vector<std::int64_t> list;
  for (const nlohmann::json& item : json) {
    if (!item.is_number_integer()) return std::nullopt;
    list.push_back(item.get<std::int64_t>());
  }
  return list;
}

}  // namespace adamerge
