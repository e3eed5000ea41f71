// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/config_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "adamerge/error.h"
#include "support/text.h"

namespace adamerge {
namespace {

constexpr std::int64_t kMaxCount = 1'000'000;
constexpr std::int64_t kMaxPixels = 65536;

const nlohmann::json& emptyObject() {
  static const nlohmann::json kEmpty = nlohmann::json::object();
  return kEmpty;
}

/// What stands in the file, for a message.
std::string shown(const nlohmann::json& value) {
  if (value.is_structured()) return fmt::format("a JSON {}", value.type_name());
  return printable(value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace), 60);
}

std::optional<int> integerWithin(const nlohmann::json& value, std::int64_t low, std::int64_t high) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(high)) {
    return std::nullopt;
  }
  if (!value.is_number_integer()) return std::nullopt;
  const auto number = value.get<std::int64_t>();
  if (number < low || number > high) return std::nullopt;
  return static_cast<int>(number);
}

}  // namespace

ConfigFields::ConfigFields(const nlohmann::json* object, std::string file, std::string prefix)
    : object_(object == nullptr ? &emptyObject() : object),
      file_(std::move(file)),
      prefix_(std::move(prefix)),
      asked_(std::make_shared<std::set<std::string, std::less<>>>()) {}

void ConfigFields::refuseUnknown(std::span<const std::string_view> ignored) const {
  for (const auto& [key, value] : object_->items()) {
    if (value.is_null() || asked_->contains(key) ||
        std::find(ignored.begin(), ignored.end(), key) != ignored.end()) {
      continue;
    }
    fail(printable(key, 60), fmt::format("is {}, and this field is not known here: the network may "
                                         "compute something else than it would here. Remove the "
                                         "field if it changes nothing",
                                         shown(value)));
  }
}

void ConfigFields::fail(std::string_view key, std::string_view problem) const {
  throw Error(fmt::format("{}: {} {}", file_, name(key), problem));
}

const nlohmann::json* ConfigFields::find(std::string_view key) const {
  asked_->emplace(key);
  const auto found = object_->find(key);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

ConfigFields ConfigFields::below(std::string_view key) const {
  const nlohmann::json* value = find(key);
  if (value != nullptr && !value->is_object()) {
    fail(key, fmt::format("is {}, an object is expected", shown(*value)));
  }
  return {value, file_, name(key) + "."};
}

Field<int> ConfigFields::count(std::string_view key) const {
  Field<int> field{std::nullopt, name(key)};
  if (const auto* value = find(key)) {
    field.value = integerWithin(*value, 0, kMaxCount);
    if (!field) {
      fail(key,
           fmt::format("is {}, an integer from 0 to {} is expected", shown(*value), kMaxCount));
    }
  }
  return field;
}

Field<double> ConfigFields::number(std::string_view key) const {
  Field<double> field{std::nullopt, name(key)};
  if (const auto* value = find(key)) {
    if (!value->is_number() || !std::isfinite(value->get<double>())) {
      fail(key, fmt::format("is {}, a number is expected", shown(*value)));
    }
    field.value = value->get<double>();
  }
  return field;
}

Field<bool> ConfigFields::flag(std::string_view key) const {
  Field<bool> field{std::nullopt, name(key)};
  if (const auto* value = find(key)) {
    if (!value->is_boolean()) {
      fail(key, fmt::format("is {}, true or false is expected", shown(*value)));
    }
    field.value = value->get<bool>();
  }
  return field;
}

Field<std::string> ConfigFields::text(std::string_view key) const {
  Field<std::string> field{std::nullopt, name(key)};
  if (const auto* value = find(key)) {
    if (!value->is_string()) fail(key, fmt::format("is {}, a text is expected", shown(*value)));
    field.value = value->get<std::string>();
  }
  return field;
}

Field<InputSize> ConfigFields::size(std::string_view key) const {
  Field<InputSize> field{std::nullopt, name(key)};
  const auto* value = find(key);
  if (value == nullptr) return field;
  const bool pair = value->is_array() && value->size() == 2;
  const auto height = integerWithin(pair ? (*value)[0] : *value, 1, kMaxPixels);
  const auto width = integerWithin(pair ? (*value)[1] : *value, 1, kMaxPixels);
  if (!height || !width) {
    fail(key, fmt::format("is {}, a size in pixels or a pair of them (1 to {}) is expected",
                          shown(*value), kMaxPixels));
  }
  field.value = InputSize{*height, *width};
  return field;
}

Field<std::array<float, 3>> ConfigFields::color(std::string_view key) const {
  Field<std::array<float, 3>> field{std::nullopt, name(key)};
  const auto* value = find(key);
  if (value == nullptr) return field;
  std::array<float, 3> numbers{};
  bool good = value->is_array() && value->size() == numbers.size();
  for (std::size_t i = 0; good && i < numbers.size(); ++i) {
    good = (*value)[i].is_number() && std::isfinite((*value)[i].get<float>());
    if (good) numbers[i] = (*value)[i].get<float>();
  }
  if (!good) fail(key, fmt::format("is {}, a list of 3 numbers is expected", shown(*value)));
  field.value = numbers;
  return field;
}

Field<std::vector<std::string>> ConfigFields::texts(std::string_view key) const {
  Field<std::vector<std::string>> field{std::nullopt, name(key)};
  const auto* value = find(key);
  if (value == nullptr) return field;
  field.value.emplace();
  if (!value->is_array()) fail(key, fmt::format("is {}, a list is expected", shown(*value)));
  for (const auto& item : *value) {
    if (!item.is_string()) fail(key, fmt::format("holds {}, only texts are expected", shown(item)));
    field.value->push_back(item.get<std::string>());
  }
  return field;
}

}  // namespace adamerge
