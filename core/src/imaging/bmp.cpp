// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdlib>

#include "imaging/decoders.h"
#include "imaging/opencv.h"

namespace adamerge::imaging {
namespace {

std::uint32_t little(const Bytes& bytes, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int i = 0; i < count; ++i) {
    value |= std::uint32_t{bytes[at + static_cast<std::size_t>(i)]} << (8 * i);
  }
  return value;
}

}  // namespace

Image decodeBmp(const Bytes& bytes, const std::string& name) {
  constexpr std::size_t kSmallestHeader = 26;
  constexpr std::size_t kWindowsHeader = 54;
  if (bytes.size() < kSmallestHeader) throwTruncated(name, "BMP");
  const bool os2 = little(bytes, 14, 4) == 12;
  if (!os2 && bytes.size() < kWindowsHeader) throwTruncated(name, "BMP");
  std::int64_t width = 0;
  std::int64_t height = 0;
  if (os2) {
    width = little(bytes, 18, 2);
    height = little(bytes, 20, 2);
  } else {
    width = static_cast<std::int32_t>(little(bytes, 18, 4));
    // A negative height means rows from top to bottom.
    height = std::abs(std::int64_t{static_cast<std::int32_t>(little(bytes, 22, 4))});
  }
  checkSize(width, height, name);
  const std::uint32_t compression = os2 ? 0 : little(bytes, 30, 4);
  constexpr std::uint32_t kBitFields = 3;
  if (compression == 0 || compression == kBitFields) {
    const std::int64_t bits = little(bytes, os2 ? 24 : 28, 2);
    const std::int64_t stride = (width * bits + 31) / 32 * 4;
    // The padding of the last row is often left out.
    const std::int64_t needed = stride * (height - 1) + (width * bits + 7) / 8;
    if (static_cast<std::int64_t>(bytes.size()) - little(bytes, 10, 4) < needed) {
      throwTruncated(name, "BMP");
    }
  }
  return toRgb(decodeWithOpenCv(bytes, name, "BMP"), Alpha::kStraight, name);
}

}  // namespace adamerge::imaging
