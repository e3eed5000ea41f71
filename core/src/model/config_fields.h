// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/model_info.h"

namespace adamerge {

/// A value from a config with its key for messages. Null in the file counts as absent.
template <class T>
struct Field {
  std::optional<T> value;
  std::string key;

  explicit operator bool() const { return value.has_value(); }
  const T& operator*() const { return *value; }
};

/// One object of a config file. Each reader throws Error naming file and key where the value is of
/// another type or out of range.
class ConfigFields {
 public:
  /// `object` must outlive this; null is an empty object. `prefix`: "model_args.".
  ConfigFields(const nlohmann::json* object, std::string file, std::string prefix = "");

  bool has(std::string_view key) const { return find(key) != nullptr; }
  const nlohmann::json* find(std::string_view key) const;  ///< nullptr: absent or null
  /// Throws Error naming the first key that no reader has asked for and that is not one of
  /// `ignored`: what a network is told and we do not understand would give wrong numbers.
  void refuseUnknown(std::span<const std::string_view> ignored) const;
  /// The object below `key`, empty where there is none.
  ConfigFields below(std::string_view key) const;

  /// Sizes and counts: 0 ... 1'000'000.
  Field<int> count(std::string_view key) const;
  Field<double> number(std::string_view key) const;
  Field<bool> flag(std::string_view key) const;
  Field<std::string> text(std::string_view key) const;
  /// 224 or [224, 224] (height, width), each 1 ... 65536.
  Field<InputSize> size(std::string_view key) const;
  Field<std::array<float, 3>> color(std::string_view key) const;
  Field<std::vector<std::string>> texts(std::string_view key) const;

  std::string name(std::string_view key) const { return prefix_ + std::string(key); }
  const std::string& file() const { return file_; }
  const nlohmann::json& object() const { return *object_; }
  [[noreturn]] void fail(std::string_view key, std::string_view problem) const;

 private:
  const nlohmann::json* object_;
  std::string file_;
  std::string prefix_;
  std::shared_ptr<std::set<std::string, std::less<>>> asked_;  ///< keys that were read
};

}  // namespace adamerge
