// SPDX-License-Identifier: GPL-3.0-or-later
// Making and comparing pictures in tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "adamerge/error.h"
#include "adamerge/image.h"

namespace adamerge::test {

using Bytes = std::vector<std::uint8_t>;
using Color = std::array<int, 3>;

inline std::filesystem::path preprocessingData() {
  return std::filesystem::path(ADAMERGE_TEST_DATA) / "preprocessing";
}

inline std::filesystem::path imagingData() {
  return std::filesystem::path(ADAMERGE_TEST_DATA) / "imaging";
}

inline Bytes readBytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void writeBytes(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

inline Bytes bytesOf(const std::string& text) { return {text.begin(), text.end()}; }

inline Bytes encode(const cv::Mat& picture, const std::string& extension,
                    const std::vector<int>& options = {}) {
  Bytes bytes;
  cv::imencode(extension, picture, bytes, options);
  return bytes;
}

/// Different everywhere, without symmetry.
inline Image pattern(int width, int height) {
  Image image{width, height, {}};
  image.pixels.resize(static_cast<std::size_t>(width) * height * 3);
  std::uint32_t state = 12345;
  for (std::uint8_t& value : image.pixels) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<std::uint8_t>(state >> 24U);
  }
  return image;
}

inline Color colorAt(const Image& image, int x, int y) {
  const std::uint8_t* pixel = image.at(x, y);
  return {pixel[0], pixel[1], pixel[2]};
}

struct Difference {
  double mean = 255;
  int largest = 255;
};

inline Difference difference(const Image& a, const Image& b) {
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.height, b.height);
  EXPECT_EQ(a.pixels.size(), static_cast<std::size_t>(a.width) * a.height * 3);
  if (a.pixels.size() != b.pixels.size() || a.pixels.empty()) return {};
  double sum = 0;
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    const int here = std::abs(a.pixels[i] - b.pixels[i]);
    sum += here;
    largest = std::max(largest, here);
  }
  return {sum / static_cast<double>(a.pixels.size()), largest};
}

/// The message of the Error that `call` throws; empty where it throws none.
inline std::string messageOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace adamerge::test
