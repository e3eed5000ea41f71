// SPDX-License-Identifier: GPL-3.0-or-later
#include "imaging/metadata.h"

#include <algorithm>
#include <exiv2/exiv2.hpp>
#include <mutex>
#include <string_view>

namespace adamerge::imaging {
namespace {

/// libexiv2 keeps its XMP parser and its log level in global variables.
std::mutex& exivMutex() {
  static std::mutex mutex;
  return mutex;
}

const Exiv2::Exifdatum* find(const Exiv2::ExifData& data, const char* key) {
  const auto found = data.findKey(Exiv2::ExifKey(key));
  return found == data.end() || found->count() == 0 ? nullptr : &*found;
}

/// A component of an entry; libexiv2 0.28 renamed the function.
std::int64_t component(const Exiv2::Exifdatum& entry, std::size_t index) {
#if EXIV2_TEST_VERSION(0, 28, 0)
  return entry.toInt64(index);
#else
  return entry.toLong(static_cast<long>(index));
#endif
}

std::int64_t number(const Exiv2::ExifData& data, const char* key, std::int64_t fallback) {
  const Exiv2::Exifdatum* found = find(data, key);
  return found == nullptr ? fallback : component(*found, 0);
}

std::vector<std::uint64_t> numbers(const Exiv2::ExifData& data, const char* key) {
  std::vector<std::uint64_t> values;
  if (const Exiv2::Exifdatum* found = find(data, key)) {
    const auto count = static_cast<std::size_t>(found->count());
    for (std::size_t i = 0; i < count; ++i) {
      values.push_back(static_cast<std::uint32_t>(component(*found, i)));
    }
  }
  return values;
}

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

Exiv2::ExifData readExif(const Bytes& bytes, bool png) {
  Exiv2::LogMsg::setLevel(Exiv2::LogMsg::mute);
  Exiv2::ExifData data;
  try {
    const auto image = Exiv2::ImageFactory::open(bytes.data(), static_cast<long>(bytes.size()));
    image->readMetadata();
    data = image->exifData();
  } catch (const std::exception&) {
    // Whether the picture is good is for its decoder to say.
  }
  if (png && find(data, "Exif.Image.Orientation") == nullptr) addPngExif(bytes, data);
  return data;
}

}  // namespace

Metadata readMetadata(const Bytes& bytes, Format format) {
  Metadata metadata;
  if (format == Format::kBmp || format == Format::kPnm) return metadata;
  try {
    const std::lock_guard lock(exivMutex());
    const auto value = number(readExif(bytes, format == Format::kPng), "Exif.Image.Orientation", 1);
    if (value >= 1 && value <= 8) metadata.orientation = static_cast<int>(value);
  } catch (const std::exception&) {
    metadata.orientation = 1;
  }
  return metadata;
}

std::optional<TiffTags> readTiffTags(const Bytes& bytes) {
  try {
    const std::lock_guard lock(exivMutex());
    const Exiv2::ExifData data = readExif(bytes, false);
    TiffTags tags;
    tags.width = number(data, "Exif.Image.ImageWidth", 0);
    tags.height = number(data, "Exif.Image.ImageLength", 0);
    if (tags.width == 0 || tags.height == 0) return std::nullopt;
    tags.bits = static_cast<int>(number(data, "Exif.Image.BitsPerSample", 1));
    tags.samples = static_cast<int>(number(data, "Exif.Image.SamplesPerPixel", 1));
    tags.photometric = static_cast<int>(number(data, "Exif.Image.PhotometricInterpretation", 1));
    tags.extra = static_cast<int>(number(data, "Exif.Image.ExtraSamples", -1));
    const bool tiled = find(data, "Exif.Image.TileOffsets") != nullptr;
    tags.offsets = numbers(data, tiled ? "Exif.Image.TileOffsets" : "Exif.Image.StripOffsets");
    tags.sizes = numbers(data, tiled ? "Exif.Image.TileByteCounts" : "Exif.Image.StripByteCounts");
    return tags;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace adamerge::imaging
