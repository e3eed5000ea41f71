// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "weights/mapped_file.h"
#include "weights/state_dict.h"

namespace adamerge {

/// Whether the content can only be meant as safetensors: a binary length, then a JSON object.
bool looksLikeSafetensors(const MappedFile& file);

/// Every entry checked: known type, size as shape and type say, inside the file, and all together
/// covering the data without overlap or gap. The tensors lie in the mapping and keep it alive;
/// those not aligned for their type are copies. Throws Error: malformed, truncated.
TensorFile openSafetensors(const std::shared_ptr<const MappedFile>& file);

/// The header's `__metadata__`: texts by name.
using SafetensorsMetadata = std::map<std::string, std::string, std::less<>>;

/// Empty where the file has none. Throws Error: malformed.
SafetensorsMetadata readSafetensorsMetadata(const MappedFile& file);

/// A whole file: the header, padded to 8 bytes, and the tensors end to end in order of their names.
/// On any device, of any type that is read.
std::string encodeSafetensors(const StateDict& tensors, const SafetensorsMetadata& metadata = {});

/// Beside, then renamed. Throws Error: no permission, full disk.
void writeSafetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const SafetensorsMetadata& metadata = {});

}  // namespace adamerge
