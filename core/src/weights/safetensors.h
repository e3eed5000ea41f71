// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/mapped_file.h"
#include "weights/state_dict.h"

namespace adamerge {

/// Whether the content can only be meant as safetensors: a binary length, then a JSON object.
bool looksLikeSafetensors(const MappedFile& file);

/// The header's `__metadata__`: texts by name.
using SafetensorsMetadata = std::map<std::string, std::string, std::less<>>;

struct SafetensorsEntry {
  std::string name;
  std::string_view dtype;  ///< as the file writes it: "F32"
  at::ScalarType type =
      at::ScalarType::Undefined;  ///< Undefined: LibTorch has no arithmetic for it
  std::size_t width = 0;          ///< bytes an element
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< from the start of the data
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< in order of their place
  SafetensorsMetadata metadata;
  std::uint64_t data_begin = 0;  ///< from the start of the file
};

/// Bytes before the data, of a file of `size` bytes that begins with `head` (the first 8 at least,
/// where it has so many). Throws Error: too short, a header longer than the file.
std::uint64_t safetensorsDataBegin(std::string_view head, std::uint64_t size,
                                   const std::string& file);
/// `head`: at least the bytes before the data. Checks what openSafetensors() says. Throws Error.
SafetensorsHeader parseSafetensorsHeader(std::string_view head, std::uint64_t size,
                                         const std::string& file);

/// Every entry checked: known type, size as shape and type say, inside the file, and all together
/// covering the data without overlap or gap. The tensors lie in the mapping and keep it alive;
/// those not aligned for their type are copies. Throws Error: malformed, truncated.
TensorFile openSafetensors(const std::shared_ptr<const MappedFile>& file);

/// Empty where the file has none. Throws Error: malformed.
SafetensorsMetadata readSafetensorsMetadata(const MappedFile& file);

/// What comes before the data, padded to 8 bytes: of each entry dtype, shape and place, and the
/// metadata.
std::string encodeSafetensorsHeader(std::span<const SafetensorsEntry> entries,
                                    const SafetensorsMetadata& metadata);

/// A whole file: the header, padded to 8 bytes, and the tensors end to end in order of their names.
/// On any device, of any type that is read.
std::string encodeSafetensors(const StateDict& tensors, const SafetensorsMetadata& metadata = {});

/// Beside, then renamed. Throws Error: no permission, full disk.
void writeSafetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const SafetensorsMetadata& metadata = {});

}  // namespace adamerge
