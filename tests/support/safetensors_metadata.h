// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace adamerge::test {

/// What stands under __metadata__ of a safetensors file.
inline std::map<std::string, std::string> safetensorsMetadata(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::uint64_t length = 0;
  file.read(reinterpret_cast<char*>(&length), sizeof length);
  std::string header(length, ' ');
  file.read(header.data(), static_cast<std::streamsize>(length));
  std::map<std::string, std::string> metadata;
  const auto json = nlohmann::json::parse(header);
  if (!json.contains("__metadata__")) return metadata;
  for (const auto& [key, value] : json.at("__metadata__").items()) metadata[key] = value;
  return metadata;
}

}  // namespace adamerge::test
