// SPDX-License-Identifier: GPL-3.0-or-later
// A file for --head, without LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace adamerge::test {

/// A table of embeddings, a row of different small numbers a class.
inline void writeHead(const std::filesystem::path& path, const std::vector<std::string>& classes,
                      int width) {
  std::vector<float> weight(classes.size() * static_cast<std::size_t>(width));
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(i * i % 11) - 5;
  const nlohmann::json header = {{"__metadata__", {{"classes", nlohmann::json(classes).dump()}}},
                                 {"weight",
                                  {{"dtype", "F32"},
                                   {"shape", {classes.size(), width}},
                                   {"data_offsets", {0, weight.size() * sizeof(float)}}}}};
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(&length), sizeof length);
  file << text;
  file.write(reinterpret_cast<const char*>(weight.data()),
             static_cast<std::streamsize>(weight.size() * sizeof(float)));
}

}  // namespace adamerge::test
