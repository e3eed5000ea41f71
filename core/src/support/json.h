// SPDX-License-Identifier: GPL-3.0-or-later
// JSON in and out, with messages that name the file and the member.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adamerge/error.h"
#include "adamerge/methods.h"
#include "adamerge/model_info.h"

namespace adamerge {

/// Throws Error: unreadable, empty, not JSON (with the line).
nlohmann::json readJson(const std::filesystem::path& path);

/// Throws Error naming `what` ("model/config.json", "model.safetensors: the header") where the text
/// is not one JSON object.
nlohmann::json parseJsonObject(std::string_view text, const std::string& what);

/// Indented, valid UTF-8 whatever the strings hold, newline at the end.
std::string jsonText(const nlohmann::ordered_json& json);

/// nullopt for what is no whole number from `least` to `most`: nlohmann converts any number, out of
/// range and with a fraction too.
template <class Whole>
std::optional<Whole> wholeNumber(const nlohmann::json& json, Whole least, Whole most) {
  const auto within = [&](auto value) {
    const bool fits = !std::cmp_less(value, least) && !std::cmp_greater(value, most);
    return fits ? std::optional(static_cast<Whole>(value)) : std::nullopt;
  };
  if (json.is_number_unsigned()) return within(json.get<std::uint64_t>());
  return json.is_number_integer() ? within(json.get<std::int64_t>()) : std::nullopt;
}

template <class T>
nlohmann::ordered_json orNull(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json toJson(const SettingValue& value);
nlohmann::ordered_json toJson(const Settings& settings);
/// nullopt for what is no setting's value: null, an object, a list of anything but whole numbers.
std::optional<SettingValue> settingFromJson(const nlohmann::json& json);

/// A member's value with its name and file for messages. Null in the file counts as absent.
template <class T>
struct Field {
  std::optional<T> value;
  std::string key;
  std::string file{};

  explicit operator bool() const { return value.has_value(); }
  const T& operator*() const { return *value; }
  T valueOr(T fallback) const { return value.value_or(std::move(fallback)); }
  /// Throws Error where the member is absent.
  T required() const {
    if (!value) throw Error(file + ": " + key + " is missing");
    return *value;
  }
};

/// One object of a JSON text. Each reader throws Error naming file and member where the value is of
/// another type or out of range.
class JsonFields {
 public:
  /// `object` must outlive this; null is an empty object. `file` begins every message:
  /// "model/config.json", "stats.json: not usable as layer statistics". `prefix`: "model_args.".
  JsonFields(const nlohmann::json* object, std::string file, std::string prefix = "");
  /// Throws Error where `json`, which must outlive the result, is no object.
  static JsonFields of(const nlohmann::json& json, std::string file, std::string prefix = "");

  bool has(std::string_view key) const { return find(key) != nullptr; }
  const nlohmann::json* find(std::string_view key) const;  ///< nullptr: absent or null
  /// Throws Error naming the first key that no reader has asked for and that is not one of
  /// `ignored`: what a file says and we do not understand may change what is meant.
  void refuseUnknown(std::span<const std::string_view> ignored) const;
  /// The object below `key`, empty where there is none.
  JsonFields below(std::string_view key) const;
  /// The objects of the list below `key`, as "points[0]." and so on; at least one. Throws Error.
  std::vector<JsonFields> list(std::string_view key) const;

  /// Sizes and counts.
  Field<int> count(std::string_view key, int low = 0, int high = 1'000'000) const;
  /// Finite.
  Field<double> number(std::string_view key, double low = -std::numeric_limits<double>::infinity(),
                       double high = std::numeric_limits<double>::infinity()) const;
  Field<double> positive(std::string_view key) const;  ///< finite and above 0
  Field<bool> flag(std::string_view key) const;
  Field<std::string> text(std::string_view key) const;
  /// 224 or [224, 224] (height, width), each 1 ... 65536.
  Field<InputSize> size(std::string_view key) const;
  Field<std::array<float, 3>> color(std::string_view key) const;
  Field<std::vector<std::string>> texts(std::string_view key) const;
  Field<std::vector<double>> numbers(std::string_view key) const;  ///< finite
  /// Not yet checked against a method; completeSettings() does that.
  Field<Settings> settings(std::string_view key) const;

  std::string name(std::string_view key) const { return prefix_ + std::string(key); }
  const std::string& file() const { return file_; }
  const nlohmann::json& object() const { return *object_; }
  [[noreturn]] void fail(std::string_view key, std::string_view problem) const;

 private:
  template <class T>
  Field<T> absent(std::string_view key) const {
    return {std::nullopt, name(key), file_};
  }
  [[noreturn]] void refuse(std::string_view key, const nlohmann::json& value,
                           std::string_view expected) const;

  const nlohmann::json* object_;
  std::string file_;
  std::string prefix_;
  std::shared_ptr<std::set<std::string, std::less<>>> asked_;  ///< keys that were read
};

}  // namespace adamerge
