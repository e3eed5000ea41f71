// SPDX-License-Identifier: GPL-3.0-or-later
// Safetensors files for tests, good ones and broken ones.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "weights/safetensors.h"

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
  for (int i = 0; i < width; ++i, value >>= 8) bytes.push_back(static_cast<char>(value));
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

using NamedTensors = StateDict;

/// As the product writes it. `padding` spaces after the header move the data off its alignment.
inline std::string safetensorsBytes(const NamedTensors& tensors, std::size_t padding = 0) {
  const std::string whole = encodeSafetensors(tensors);
  std::size_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8U | static_cast<unsigned char>(whole[i]);
  return safetensorsBytes(whole.substr(8, length) + std::string(padding, ' '),
                          whole.substr(8 + length));
}

inline void writeSafetensors(const std::filesystem::path& path, const NamedTensors& tensors) {
  writeBytes(path, safetensorsBytes(tensors));
}

}  // namespace adamerge::test
