// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace adamerge {

/// Throws Error naming `what` ("model/config.json", "model.safetensors: the header") where the text
/// is not one JSON object.
nlohmann::json parseJsonObject(std::string_view text, const std::string& what);

/// Text from a file as it may stand in a message: one line of printable ASCII, shortened.
std::string printable(std::string_view text, std::size_t limit = 120);

}  // namespace adamerge
