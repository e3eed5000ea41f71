// SPDX-License-Identifier: GPL-3.0-or-later
// What an image file says about itself, read before its pixels.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "imaging/format.h"

namespace adamerge::imaging {

struct Metadata {
  int orientation = 1;  ///< EXIF, 1 to 8; 1 where the file has none
};

/// Never throws: a file with broken metadata may still have a good picture.
Metadata readMetadata(const Bytes& bytes, Format format);

/// TIFF's tags of the first picture. Absent where the file cannot be parsed (BigTIFF).
struct TiffTags {
  std::int64_t width = 0;
  std::int64_t height = 0;
  int bits = 1;         ///< per sample
  int samples = 1;      ///< per pixel
  int photometric = 1;  ///< 0: white is zero, 5: CMYK
  int extra = -1;       ///< 0: unspecified, 1: premultiplied alpha, 2: straight alpha, -1: not said
  std::vector<std::uint64_t> offsets;  ///< of the strips or tiles, with their sizes
  std::vector<std::uint64_t> sizes;
};
std::optional<TiffTags> readTiffTags(const Bytes& bytes);

}  // namespace adamerge::imaging
