// SPDX-License-Identifier: GPL-3.0-or-later
// Float tensors of reference files in safetensors: 8 bytes of header length, JSON, data.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace adamerge::test {

struct FileTensor {
  std::vector<int> shape;  ///< empty where the file has no such tensor
  std::vector<float> values;
};

inline FileTensor readTensor(const std::filesystem::path& path, const std::string& name) {
  std::ifstream file(path, std::ios::binary);
  std::uint64_t length = 0;
  file.read(reinterpret_cast<char*>(&length), sizeof length);
  std::string header(length, ' ');
  file.read(header.data(), static_cast<std::streamsize>(length));
  const nlohmann::json all = nlohmann::json::parse(header);
  if (!all.contains(name)) return {};
  EXPECT_EQ(all[name].at("dtype"), "F32") << path;
  const auto offsets = all[name].at("data_offsets").get<std::vector<std::size_t>>();
  FileTensor tensor{all[name].at("shape"), {}};
  tensor.values.resize((offsets[1] - offsets[0]) / sizeof(float));
  file.seekg(static_cast<std::streamoff>(sizeof length + length + offsets[0]));
  file.read(reinterpret_cast<char*>(tensor.values.data()),
            static_cast<std::streamsize>(tensor.values.size() * sizeof(float)));
  EXPECT_TRUE(file.good()) << path;
  return tensor;
}

}  // namespace adamerge::test
