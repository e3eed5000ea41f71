// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/image.h"

#include <fmt/format.h>

#include <new>

#include "adamerge/error.h"
#include "imaging/decoders.h"
#include "imaging/metadata.h"
#include "imaging/orientation.h"
#include "support/files.h"

namespace adamerge {
namespace {

using imaging::Format;

Image decode(const std::vector<std::uint8_t>& bytes, Format format, const std::string& name) {
  switch (format) {
    case Format::kJpeg:
      return imaging::decodeJpeg(bytes, name);
    case Format::kPng:
      return imaging::decodePng(bytes, name);
    case Format::kWebp:
      return imaging::decodeWebp(bytes, name);
    case Format::kTiff:
      return imaging::decodeTiff(bytes, name);
    case Format::kBmp:
      return imaging::decodeBmp(bytes, name);
    case Format::kPnm:
      return imaging::decodePnm(bytes, name);
  }
  throw Error(fmt::format("{}: this is not an image", name));
}

}  // namespace

Image decodeImage(const std::vector<std::uint8_t>& bytes, const std::string& name) {
  const Format format = imaging::detectFormat(bytes, name);
  try {
    Image image = decode(bytes, format, name);
    // OpenCV has already turned a TIFF.
    if (format == Format::kTiff) return image;
    return imaging::oriented(std::move(image), imaging::readMetadata(bytes, format).orientation);
  } catch (const std::bad_alloc&) {
    throw Error(fmt::format(
        "{}: there is not enough memory for this image; a smaller one is expected", name));
  }
}

Image loadImage(const std::filesystem::path& path) {
  // More than the pixels of the largest image take without compression, 16 bits and alpha.
  constexpr std::uint64_t kMaxBytes = static_cast<std::uint64_t>(kMaxPixels) * 10;
  requireReadableFile(path, "an image");
  return decodeImage(readFile(path, kMaxBytes), path.string());
}

}  // namespace adamerge
