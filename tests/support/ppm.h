// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "adamerge/result.h"

namespace adamerge::test {

/// A binary PPM as the network's input with mean and std 0.5, without resizing.
inline InputTensor readPpm(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  InputTensor input;
  int maximum = 0;
  file >> magic >> input.width >> input.height >> maximum;
  file.get();
  EXPECT_EQ(magic, "P6") << path;
  const std::size_t plane = static_cast<std::size_t>(input.width) * input.height;
  std::vector<char> bytes(plane * 3);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  EXPECT_TRUE(file.good()) << path;
  input.values.resize(plane * 3);
  for (std::size_t pixel = 0; pixel < plane; ++pixel) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const auto value = static_cast<unsigned char>(bytes[pixel * 3 + channel]);
      input.values[channel * plane + pixel] = (static_cast<float>(value) / 255.0F - 0.5F) / 0.5F;
    }
  }
  return input;
}

}  // namespace adamerge::test
