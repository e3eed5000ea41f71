// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "support/files.h"

namespace adamerge {
namespace {

constexpr std::int64_t kMaxPixelSide = 65536;
constexpr std::size_t kMostShown = 60;

const nlohmann::json& emptyObject() {
  static const nlohmann::json kEmpty = nlohmann::json::object();
  return kEmpty;
}

/// What stands in the file, for a message: printable ASCII, shortened.
std::string shown(const nlohmann::json& value) {
  if (value.is_structured()) return fmt::format("a JSON {}", value.type_name());
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() > kMostShown ? text.substr(0, kMostShown) + "..." : text;
}

bool isFiniteNumber(const nlohmann::json& value) {
  return value.is_number() && std::isfinite(value.get<double>());
}

}  // namespace

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

namespace {

/// Prompts are lists of tuples: boxes of four numbers, points of two.
nlohmann::ordered_json inTuples(const std::vector<std::int64_t>& numbers, std::size_t size) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i % size == 0) json.push_back(nlohmann::ordered_json::array());
    json.back().push_back(numbers[i]);
  }
  return json;
}

}  // namespace

nlohmann::ordered_json toJson(const Settings& settings) {
  constexpr std::size_t kBox = 4;
  constexpr std::size_t kPoint = 2;
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [key, value] : settings) {
    const auto* list = std::get_if<std::vector<std::int64_t>>(&value);
    const std::size_t tuple = key == "boxes" ? kBox : key == "points" ? kPoint : 0;
    json[key] = list != nullptr && tuple > 0 ? inTuples(*list, tuple) : toJson(value);
  }
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
    if (item.is_array()) {
      for (const nlohmann::json& number : item) {
        if (!number.is_number_integer()) return std::nullopt;
        list.push_back(number.get<std::int64_t>());
      }
      continue;
    }
    if (!item.is_number_integer()) return std::nullopt;
    list.push_back(item.get<std::int64_t>());
  }
  return list;
}

JsonFields::JsonFields(const nlohmann::json* object, std::string file, std::string prefix)
    : object_(object == nullptr ? &emptyObject() : object),
      file_(std::move(file)),
      prefix_(std::move(prefix)),
      asked_(std::make_shared<std::set<std::string, std::less<>>>()) {}

JsonFields JsonFields::of(const nlohmann::json& json, std::string file, std::string prefix) {
  if (json.is_object()) return JsonFields(&json, std::move(file), std::move(prefix));
  const std::string_view place = prefix;
  throw Error(fmt::format("{}: {} is {}, an object is expected", file,
                          place.empty() ? "the top level" : place.substr(0, place.size() - 1),
                          shown(json)));
}

void JsonFields::fail(std::string_view key, std::string_view problem) const {
  throw Error(fmt::format("{}: {} {}", file_, name(key), problem));
}

void JsonFields::refuse(std::string_view key, const nlohmann::json& value,
                        std::string_view expected) const {
  fail(key, fmt::format("is {}, {} is expected", shown(value), expected));
}

void JsonFields::refuseUnknown(std::span<const std::string_view> ignored) const {
  for (const auto& [key, value] : object_->items()) {
    if (value.is_null() || asked_->contains(key) ||
        std::find(ignored.begin(), ignored.end(), key) != ignored.end()) {
      continue;
    }
    fail(key, fmt::format("is {}, and this field is not known here: the network may compute "
                          "something else than it would here. Remove the field if it changes "
                          "nothing",
                          shown(value)));
  }
}

const nlohmann::json* JsonFields::find(std::string_view key) const {
  asked_->emplace(key);
  const auto found = object_->find(key);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

JsonFields JsonFields::below(std::string_view key) const {
  const nlohmann::json* value = find(key);
  if (value != nullptr && !value->is_object()) refuse(key, *value, "an object");
  return JsonFields(value, file_, name(key) + ".");
}

std::vector<JsonFields> JsonFields::list(std::string_view key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) fail(key, "is missing");
  if (!value->is_array() || value->empty()) refuse(key, *value, "a list of at least one object");
  std::vector<JsonFields> objects;
  for (std::size_t i = 0; i < value->size(); ++i) {
    objects.push_back(of((*value)[i], file_, fmt::format("{}[{}].", name(key), i)));
  }
  return objects;
}

Field<int> JsonFields::count(std::string_view key, int low, int high) const {
  Field<int> field = absent<int>(key);
  const nlohmann::json* value = find(key);
  if (value == nullptr) return field;
  field.value = wholeNumber<int>(*value, low, high);
  if (!field) {
    refuse(
        key, *value,
        low == high ? fmt::format("{}", low) : fmt::format("an integer from {} to {}", low, high));
  }
  return field;
}

Field<double> JsonFields::number(std::string_view key, double low, double high) const {
  Field<double> field = absent<double>(key);
  const nlohmann::json* value = find(key);
  if (value == nullptr) return field;
  if (!isFiniteNumber(*value)) refuse(key, *value, "a number");
  field.value = value->get<double>();
  if (*field < low || *field > high) {
    refuse(key, *value, fmt::format("a number from {} to {}", low, high));
  }
  return field;
}

Field<double> JsonFields::positive(std::string_view key) const {
  Field<double> field = number(key);
  if (field && !(*field > 0)) refuse(key, *find(key), "a number above 0");
  return field;
}

Field<bool> JsonFields::flag(std::string_view key) const {
  Field<bool> field = absent<bool>(key);
  if (const auto* value = find(key)) {
    if (!value->is_boolean()) refuse(key, *value, "true or false");
    field.value = value->get<bool>();
  }
  return field;
}

Field<std::string> JsonFields::text(std::string_view key) const {
  Field<std::string> field = absent<std::string>(key);
  if (const auto* value = find(key)) {
    if (!value->is_string()) refuse(key, *value, "a text");
    field.value = value->get<std::string>();
  }
  return field;
}

Field<InputSize> JsonFields::size(std::string_view key) const {
  Field<InputSize> field = absent<InputSize>(key);
  const auto* value = find(key);
  if (value == nullptr) return field;
  const bool pair = value->is_array() && value->size() == 2;
  const auto height = wholeNumber<int>(pair ? (*value)[0] : *value, 1, kMaxPixelSide);
  const auto width = wholeNumber<int>(pair ? (*value)[1] : *value, 1, kMaxPixelSide);
  if (!height || !width) {
    refuse(key, *value, fmt::format("a size in pixels or a pair of them (1 to {})", kMaxPixelSide));
  }
  field.value = InputSize{*height, *width};
  return field;
}

Field<std::array<float, 3>> JsonFields::color(std::string_view key) const {
  Field<std::array<float, 3>> field = absent<std::array<float, 3>>(key);
  const auto* value = find(key);
  if (value == nullptr) return field;
  std::array<float, 3> numbers{};
  // One number, bare or as a list, is all channels'.
  const bool listed = value->is_array();
  bool good = !listed || value->size() == numbers.size() || value->size() == 1;
  for (std::size_t i = 0; good && i < numbers.size(); ++i) {
    const nlohmann::json& number = listed ? (*value)[value->size() == 1 ? 0 : i] : *value;
    good = number.is_number() && std::isfinite(number.get<float>());
    if (good) numbers[i] = number.get<float>();
  }
  if (!good) refuse(key, *value, "a number or a list of 3 numbers");
  field.value = numbers;
  return field;
}

Field<std::vector<std::string>> JsonFields::texts(std::string_view key) const {
  Field<std::vector<std::string>> field = absent<std::vector<std::string>>(key);
  const auto* value = find(key);
  if (value == nullptr) return field;
  field.value.emplace();
  if (!value->is_array()) refuse(key, *value, "a list");
  for (const auto& item : *value) {
    if (!item.is_string()) fail(key, fmt::format("holds {}, only texts are expected", shown(item)));
    field.value->push_back(item.get<std::string>());
  }
  return field;
}

Field<std::vector<double>> JsonFields::numbers(std::string_view key) const {
  Field<std::vector<double>> field = absent<std::vector<double>>(key);
  const auto* value = find(key);
  if (value == nullptr) return field;
  field.value.emplace();
  if (!value->is_array()) refuse(key, *value, "a list");
  for (const auto& item : *value) {
    if (!isFiniteNumber(item)) {
      fail(key, fmt::format("holds {}, only numbers are expected", shown(item)));
    }
    field.value->push_back(item.get<double>());
  }
  return field;
}

Field<Settings> JsonFields::settings(std::string_view key) const {
  Field<Settings> field = absent<Settings>(key);
  if (!has(key)) return field;
  const JsonFields members = below(key);
  field.value.emplace();
  for (const auto& [setting, value] : members.object().items()) {
    const std::optional<SettingValue> read = settingFromJson(value);
    if (!read) {
      members.refuse(setting, value, "a number, text, true, false or a list of whole numbers");
    }
    field.value->emplace(setting, *read);
  }
  return field;
}

}  // namespace adamerge
