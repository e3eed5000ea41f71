// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/json_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "adamerge/error.h"

namespace adamerge {

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

std::string printable(std::string_view text, std::size_t limit) {
  std::string result(text.substr(0, limit));
  for (char& c : result) {
    if (c < ' ' || c > '~') c = '?';
  }
  if (text.size() > limit) result += "...";
  return result;
}

}  // namespace adamerge
