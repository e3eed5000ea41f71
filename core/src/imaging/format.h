// SPDX-License-Identifier: GPL-3.0-or-later
// Which image format some bytes hold. The content decides, never the file's name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace adamerge::imaging {

using Bytes = std::vector<std::uint8_t>;

enum class Format { kJpeg, kPng, kWebp, kTiff, kBmp, kPnm };

inline constexpr const char* kSupportedFormats = "JPEG, PNG, WebP, TIFF, BMP or PPM";

/// Throws Error: empty, no image, an image of a format that is not supported (named).
Format detectFormat(const Bytes& bytes, const std::string& name);

/// Throws Error for no pixels at all and for more than kMaxPixels.
void checkSize(std::int64_t width, std::int64_t height, const std::string& name);

[[noreturn]] void throwTruncated(const std::string& name, const char* format);
[[noreturn]] void throwDamaged(const std::string& name, const char* format,
                               const std::string& what);

}  // namespace adamerge::imaging
