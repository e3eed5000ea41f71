// SPDX-License-Identifier: GPL-3.0-or-later
// One decoder per format. Each checks the size before it decodes pixels and returns 8-bit RGB, with
// alpha laid over white, not yet turned by its EXIF orientation (TIFF: already turned).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adamerge/image.h"

namespace adamerge::imaging {

using Bytes = std::vector<std::uint8_t>;

enum class Format { kJpeg, kPng, kWebp, kTiff, kBmp, kPnm };
inline constexpr const char* kSupportedFormats = "JPEG, PNG, WebP, TIFF, BMP or PPM";

Image decodeJpeg(const Bytes& bytes, const std::string& name);
Image decodePng(const Bytes& bytes, const std::string& name);
Image decodeWebp(const Bytes& bytes, const std::string& name);
Image decodeTiff(const Bytes& bytes, const std::string& name);
Image decodeBmp(const Bytes& bytes, const std::string& name);
Image decodePnm(const Bytes& bytes, const std::string& name);

/// EXIF, 1 to 8; 1 where the file has none. Never throws: a file with broken metadata may still
/// have a good picture.
int readOrientation(const Bytes& bytes, Format format);
/// The picture as it is to be seen.
Image oriented(Image image, int orientation);

/// Throws Error for no pixels at all, for more than kMaxPixels, and where the picture and what its
/// decoder holds beside it, `decoder_bytes` per pixel and `tables` in all, exceed kMaxBytes.
void checkSize(std::int64_t width, std::int64_t height, std::int64_t decoder_bytes,
               const std::string& name, std::int64_t tables = 0);

[[noreturn]] void throwTruncated(const std::string& name, const char* format);
[[noreturn]] void throwDamaged(const std::string& name, const char* format,
                               const std::string& what);
/// `what`: "12-bit JPEG".
[[noreturn]] void throwUnsupported(const std::string& name, const std::string& what,
                                   const std::string& expected);

}  // namespace adamerge::imaging
