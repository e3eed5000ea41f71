// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <string>
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

}  // namespace adamerge
