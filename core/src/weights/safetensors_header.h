// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adamerge {

struct SafetensorsEntry {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< from the start of the file
  std::uint64_t end = 0;
};

/// Every entry checked: known type, size as shape and type say, inside the file, and all together
/// covering the data without overlap or gap. `file` is the name for messages.
std::vector<SafetensorsEntry> readSafetensorsHeader(std::span<const std::uint8_t> bytes,
                                                    const std::string& file);

/// Texts of the header's `__metadata__`; empty where there is none.
std::map<std::string, std::string, std::less<>> readSafetensorsHeaderTexts(
    std::span<const std::uint8_t> bytes, const std::string& file);

/// "F32". Throws Error for a type that the format has no name for.
std::string_view safetensorsTypeName(at::ScalarType type);

}  // namespace adamerge
