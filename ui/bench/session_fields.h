// SPDX-License-Identifier: GPL-3.0-or-later
// Reading one object of a session file.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "adamerge/methods.h"

namespace adamerge::ui {

/// Every field is checked and asked for by name, and one that nobody asked for is an error.
class SessionFields {
 public:
  /// `file` and `place` ("panes[1]"; empty: the top) name the object in messages.
  SessionFields(const nlohmann::json& object, std::string file, std::string place = {});

  bool has(const std::string& key) const;
  /// Each returns `fallback` where the field is missing. Throws Error.
  std::string text(const std::string& key, const std::string& fallback = {});
  bool flag(const std::string& key, bool fallback);
  int whole(const std::string& key, int fallback, int low, int high);
  double number(const std::string& key, double fallback, double low, double high);
  /// The place of the text in `names`.
  int oneOf(const std::string& key, const std::vector<const char*>& names, int fallback);
  std::string base64(const std::string& key);
  /// The settings of a method, each checked against the registry.
  Settings settings(const std::string& key, const MethodInfo& method);
  /// nullptr where missing; asked for as an object or a list.
  const nlohmann::json* object(const std::string& key);
  const nlohmann::json* list(const std::string& key);

  /// Throws Error for fields nobody asked for.
  void requireNoOthers() const;
  [[noreturn]] void fail(const std::string& what) const;

 private:
  const nlohmann::json* find(const std::string& key);
  std::string named(const std::string& key) const;

  const nlohmann::json& object_;
  std::string file_;
  std::string place_;
  std::set<std::string> known_;
};

}  // namespace adamerge::ui
