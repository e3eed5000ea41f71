// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/session_fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <QByteArray>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "adamerge/error.h"

namespace adamerge::ui {
namespace {

using Json = nlohmann::json;

/// nullopt for what is no setting's value: null, an object, a list of anything but whole numbers.
std::optional<SettingValue> settingFrom(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  const auto whole = [](const Json& entry) { return entry.is_number_integer(); };
  if (json.is_array() && std::all_of(json.begin(), json.end(), whole)) {
    return json.get<std::vector<std::int64_t>>();
  }
  return std::nullopt;
}

}  // namespace

SessionFields::SessionFields(const Json& object, std::string file, std::string place)
    : object_(object), file_(std::move(file)), place_(std::move(place)) {
  if (object_.is_object()) return;
  throw Error(fmt::format("{}: not usable as a session: {} must be an object", file_,
                          place_.empty() ? "the top level" : fmt::format("\"{}\"", place_)));
}

bool SessionFields::has(const std::string& key) const { return object_.contains(key); }

void SessionFields::fail(const std::string& what) const {
  throw Error(fmt::format("{}: not usable as a session: {}", file_, what));
}

std::string SessionFields::named(const std::string& key) const {
  return place_.empty() ? fmt::format("\"{}\"", key) : fmt::format("\"{}.{}\"", place_, key);
}

const Json* SessionFields::find(const std::string& key) {
  known_.insert(key);
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

std::string SessionFields::text(const std::string& key, const std::string& fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) fail(named(key) + " must be text");
  return value->get<std::string>();
}

bool SessionFields::flag(const std::string& key, bool fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) fail(named(key) + " must be true or false");
  return value->get<bool>();
}

int SessionFields::whole(const std::string& key, int fallback, int low, int high) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  const bool in_range = value->is_number_integer() && *value >= low && *value <= high;
  if (!in_range)
    fail(fmt::format("{} must be a whole number from {} to {}", named(key), low, high));
  return value->get<int>();
}

double SessionFields::number(const std::string& key, double fallback, double low, double high) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  const double given = value->is_number() ? value->get<double>() : NAN;
  if (!(given >= low && given <= high)) {
    fail(fmt::format("{} must be a number from {} to {}", named(key), low, high));
  }
  return given;
}

int SessionFields::oneOf(const std::string& key, const std::vector<const char*>& names,
                         int fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  int index = 0;
  for (const char* name : names) {
    if (value->is_string() && *value == name) return index;
    ++index;
  }
  fail(fmt::format("{} must be one of {}", named(key), fmt::join(names, ", ")));
}

std::string SessionFields::base64(const std::string& key) {
  std::string value = text(key);
  const auto decoded = QByteArray::fromBase64Encoding(QByteArray::fromStdString(value),
                                                      QByteArray::AbortOnBase64DecodingErrors);
  if (!decoded) fail(named(key) + " must be base64 text");
  return value;
}

Settings SessionFields::settings(const std::string& key, const MethodInfo& method) {
  Settings settings;
  const Json* values = object(key);
  if (values == nullptr) return settings;
  for (const auto& [name, value] : values->items()) {
    const SettingInfo* info = method.setting(name);
    if (info == nullptr) {
      fail(fmt::format("{} names \"{}\", which is no setting of {}", named(key), name,
                       method.label));
    }
    const auto setting = settingFrom(value);
    if (!setting) {
      fail(
          fmt::format("\"{}\" in {} must be a number, text, true, false or a list of whole numbers",
                      name, named(key)));
    }
    try {
      settings[name] = checkedSetting(*info, *setting);
    } catch (const Error& error) {
      fail(fmt::format("in {}: {}", named(key), error.what()));
    }
  }
  return settings;
}

const Json* SessionFields::object(const std::string& key) {
  const Json* value = find(key);
  if (value != nullptr && !value->is_object()) fail(named(key) + " must be an object");
  return value;
}

const Json* SessionFields::list(const std::string& key) {
  const Json* value = find(key);
  if (value != nullptr && !value->is_array()) fail(named(key) + " must be a list");
  return value;
}

void SessionFields::requireNoOthers() const {
  for (const auto& [key, value] : object_.items()) {
    if (!known_.contains(key)) {
      fail(fmt::format("{} is no field that this version knows", named(key)));
    }
  }
}

}  // namespace adamerge::ui
