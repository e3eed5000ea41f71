// SPDX-License-Identifier: GPL-3.0-or-later
// Writes safetensors files for tests, good ones and broken ones.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace adamerge::test {

inline void writeBytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string readBytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Little-endian.
inline std::string integerBytes(std::uint64_t value, int width = 8) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

/// Length, header as given, data as given.
inline std::string safetensorsBytes(const std::string& header, const std::string& data) {
  return integerBytes(header.size()) + header + data;
}

inline std::string dataBytes(const at::Tensor& tensor) {
  const at::Tensor whole = tensor.contiguous();
  return {static_cast<const char*>(whole.data_ptr()),
          static_cast<std::size_t>(whole.numel() * whole.element_size())};
}

inline std::string safetensorsType(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "F32";
    case at::kHalf:
      return "F16";
    case at::kBFloat16:
      return "BF16";
    case at::kDouble:
      return "F64";
    case at::kLong:
      return "I64";
    case at::kInt:
      return "I32";
    case at::kShort:
      return "I16";
    case at::kChar:
      return "I8";
    case at::kByte:
      return "U8";
    default:
      return "BOOL";
  }
}

using NamedTensors = std::map<std::string, at::Tensor, std::less<>>;

/// `padding` spaces after the header move the data off its alignment.
inline std::string safetensorsBytes(const NamedTensors& tensors, int padding = -1) {
  nlohmann::json header = {{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const std::string bytes = dataBytes(tensor);
    header[name] = {{"dtype", safetensorsType(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {data.size(), data.size() + bytes.size()}}};
    data += bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  if (padding > 0) text.append(static_cast<std::size_t>(padding), ' ');
  return safetensorsBytes(text, data);
}

inline void writeSafetensors(const std::filesystem::path& path, const NamedTensors& tensors) {
  writeBytes(path, safetensorsBytes(tensors));
}

}  // namespace adamerge::test
