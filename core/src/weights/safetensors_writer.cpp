// SPDX-License-Identifier: GPL-3.0-or-later
#include <nlohmann/json.hpp>

#include "support/files.h"
#include "weights/safetensors.h"
#include "weights/safetensors_header.h"

namespace adamerge {
namespace {

constexpr std::size_t kAlignment = 8;

std::string littleEndian(std::uint64_t value) {
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

}  // namespace

std::string encodeSafetensors(const StateDict& tensors, const SafetensorsMetadata& metadata) {
  // Without it Hugging Face's own reader refuses the file.
  nlohmann::json texts = {{"format", "pt"}};
  for (const auto& [name, text] : metadata) texts[name] = text;
  nlohmann::json header = {{"__metadata__", texts}};
  std::size_t size = 0;
  for (const auto& [name, tensor] : tensors) {
    header[name] = {{"dtype", safetensorsTypeName(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {size, size + tensor.nbytes()}}};
    size += tensor.nbytes();
  }
  // Texts may hold what a path holds, which need not be UTF-8.
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  std::string bytes = littleEndian(text.size()) + text;
  bytes.reserve(bytes.size() + size);
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor whole = tensor.detach().to(at::kCPU).contiguous();
    bytes.append(static_cast<const char*>(whole.data_ptr()), whole.nbytes());
  }
  return bytes;
}

void writeSafetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const SafetensorsMetadata& metadata) {
  writeFileAtomically(path, encodeSafetensors(tensors, metadata));
}

}  // namespace adamerge
