// SPDX-License-Identifier: GPL-3.0-or-later
// How a camera was held, and turning the picture by that.
#include <algorithm>
#include <exiv2/exiv2.hpp>
#include <exiv2/webpimage.hpp>
#include <mutex>
#include <optional>
#include <string_view>

#include "imaging/decoders.h"

namespace adamerge::imaging {
namespace {

std::size_t bigEndian(const std::uint8_t* at) {
  return std::size_t{at[0]} << 24U | std::size_t{at[1]} << 16U | std::size_t{at[2]} << 8U | at[3];
}

/// libexiv2 0.27 does not know PNG's own EXIF chunk.
void addPngExif(const Bytes& bytes, Exiv2::ExifData& data) {
  constexpr std::size_t kSignature = 8;
  constexpr std::size_t kChunkFrame = 12;
  for (std::size_t at = kSignature; at + kChunkFrame <= bytes.size();) {
    const std::size_t length = bigEndian(bytes.data() + at);
    if (bytes.size() - at - kChunkFrame < length) return;
    const std::string_view type(reinterpret_cast<const char*>(bytes.data()) + at + 4, 4);
    if (type == "eXIf") {
      Exiv2::ExifParser::decode(data, bytes.data() + at + 8, static_cast<std::uint32_t>(length));
      return;
    }
    at += kChunkFrame + length;
  }
}

/// Exiv2 sniffs for itself, and some of its thirty parsers never come back from what they find.
/// Only those of our formats run, and only where both agree.
bool isOf(Format format, const Bytes& bytes) {
#if EXIV2_TEST_VERSION(0, 28, 0)
  const auto type = Exiv2::ImageFactory::getType(bytes.data(), bytes.size());
#else
  const auto type = Exiv2::ImageFactory::getType(bytes.data(), static_cast<long>(bytes.size()));
#endif
  return (format == Format::kJpeg && type == Exiv2::ImageType::jpeg) ||
         (format == Format::kPng && type == Exiv2::ImageType::png) ||
         (format == Format::kWebp && type == Exiv2::ImageType::webp);
}

std::optional<std::int64_t> orientationTag(const Exiv2::ExifData& data) {
  const auto found = data.findKey(Exiv2::ExifKey("Exif.Image.Orientation"));
  if (found == data.end() || found->count() == 0) return std::nullopt;
#if EXIV2_TEST_VERSION(0, 28, 0)
  return found->toInt64();
#else
  return found->toLong();
#endif
}

Exiv2::ExifData readExif(const Bytes& bytes, Format format) {
  Exiv2::LogMsg::setLevel(Exiv2::LogMsg::mute);
  Exiv2::ExifData data;
  try {
    if (isOf(format, bytes)) {
      const auto image = Exiv2::ImageFactory::open(bytes.data(), bytes.size());
      image->readMetadata();
      data = image->exifData();
    }
  } catch (const std::exception&) {
    // Whether the picture is good is for its decoder to say.
  }
  if (format == Format::kPng && !orientationTag(data)) addPngExif(bytes, data);
  return data;
}

}  // namespace

int readOrientation(const Bytes& bytes, Format format) {
  if (format == Format::kBmp || format == Format::kPnm) return 1;
  // libexiv2 keeps its XMP parser and its log level in global variables.
  static std::mutex mutex;
  try {
    const std::lock_guard lock(mutex);
    const std::int64_t value = orientationTag(readExif(bytes, format)).value_or(1);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  } catch (const std::exception&) {
    return 1;
  }
}

Image oriented(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool swapped = orientation >= 5;
  const bool flipX = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flipY = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image turned{swapped ? image.height : image.width,
               swapped ? image.width : image.height,
               {},
               std::move(image.note)};
  turned.pixels.resize(image.pixels.size());
  for (int y = 0; y < turned.height; ++y) {
    for (int x = 0; x < turned.width; ++x) {
      const int column = swapped ? y : x;
      const int row = swapped ? x : y;
      const std::uint8_t* from =
          image.at(flipX ? image.width - 1 - column : column, flipY ? image.height - 1 - row : row);
      std::copy_n(from, 3, turned.at(x, y));
    }
  }
  return turned;
}

}  // namespace adamerge::imaging
