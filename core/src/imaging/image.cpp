// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <optional>
#include <string_view>

#include "adamerge/error.h"
#include "imaging/decoders.h"
#include "support/files.h"

namespace adamerge {
namespace imaging {
namespace {

using namespace std::string_view_literals;

std::string_view head(const Bytes& bytes, std::size_t length) {
  return {reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), length)};
}

bool startsWithAny(std::string_view text, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [&](std::string_view start) { return text.starts_with(start); });
}

std::optional<Format> supported(std::string_view text) {
  if (text.starts_with("\xFF\xD8\xFF"sv)) return Format::kJpeg;
  if (text.starts_with("\x89PNG\r\n\x1A\n"sv)) return Format::kPng;
  if (text.starts_with("RIFF"sv) && text.size() >= 12 && text.substr(8, 4) == "WEBP"sv)
    return Format::kWebp;
  // The last two are BigTIFF.
  if (startsWithAny(text, {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})) return Format::kTiff;
  if (text.starts_with("BM"sv)) return Format::kBmp;
  const bool pnm = text.size() > 2 && text[0] == 'P' && text[1] >= '1' && text[1] <= '6';
  if (pnm && (" \t\r\n#"sv.find(text[2]) != std::string_view::npos)) return Format::kPnm;
  return std::nullopt;
}

/// Formats people do have, told apart so that the message says what the file is.
std::string_view unsupported(std::string_view text) {
  if (startsWithAny(text, {"GIF87a"sv, "GIF89a"sv})) return "GIF";
  if (text.size() >= 12 && text.substr(4, 4) == "ftyp"sv) {
    const std::string_view brand = text.substr(8, 4);
    if (brand == "avif"sv || brand == "avis"sv) return "AVIF";
    for (const auto heif : {"heic"sv, "heix"sv, "hevc"sv, "heim"sv, "heis"sv, "mif1"sv, "msf1"sv}) {
      // AVIF files may name the general HEIF brand first and their own later.
      if (brand == heif) return text.find("avif"sv) < 64 ? "AVIF" : "HEIC";
    }
    return "video";
  }
  if (startsWithAny(text, {"\0\0\0\x0CJXL "sv, "\xFF\x0A"sv})) return "JPEG XL";
  if (startsWithAny(text, {"\0\0\0\x0CjP  "sv, "\xFF\x4F\xFF\x51"sv})) return "JPEG 2000";
  if (text.starts_with("%PDF"sv)) return "PDF";
  if (text.starts_with("8BPS"sv)) return "Photoshop";
  if (text.starts_with("\0\0\1\0"sv)) return "icon (ICO)";
  if (text.starts_with("\x76\x2F\x31\x01"sv)) return "OpenEXR";
  if (text.find("<svg"sv) != std::string_view::npos &&
      text.find_first_not_of(" \t\r\n\xEF\xBB\xBF"sv) == text.find('<')) {
    return "SVG";
  }
  return {};
}

/// The content decides, never the file's name. Throws Error: empty, no image, an image of a format
/// that is not supported (named).
Format detectFormat(const Bytes& bytes, const std::string& name) {
  if (bytes.empty()) {
    throw Error(fmt::format("{}: the file is empty; {} is expected", name, kSupportedFormats));
  }
  if (const auto format = supported(head(bytes, 16))) return *format;
  const std::string_view other = unsupported(head(bytes, 4096));
  if (!other.empty()) {
    throw Error(fmt::format("{}: {} files are not supported; {} is expected", name, other,
                            kSupportedFormats));
  }
  throw Error(fmt::format("{}: this is not an image; {} is expected", name, kSupportedFormats));
}

Image decode(const Bytes& bytes, Format format, const std::string& name) {
  switch (format) {
    case Format::kJpeg:
      return decodeJpeg(bytes, name);
    case Format::kPng:
      return decodePng(bytes, name);
    case Format::kWebp:
      return decodeWebp(bytes, name);
    case Format::kTiff:
      return decodeTiff(bytes, name);
    case Format::kBmp:
      return decodeBmp(bytes, name);
    case Format::kPnm:
      return decodePnm(bytes, name);
  }
  throw Error(fmt::format("{}: this is not an image", name));
}

}  // namespace

void checkSize(std::int64_t width, std::int64_t height, std::int64_t decoder_bytes,
               const std::string& name) {
  if (width <= 0 || height <= 0) {
    throw Error(fmt::format("{}: the image has no pixels ({} x {}); at least 1 x 1 is expected",
                            name, width, height));
  }
  if (width > kMaxPixels / height) {
    throw Error(fmt::format("{}: the image is {} x {} pixels; at most {} million pixels are read",
                            name, width, height, kMaxPixels / 1'000'000));
  }
  constexpr std::int64_t kMaxBytes = 2'000'000'000;
  const std::int64_t bytes = width * height * (3 + decoder_bytes);
  if (bytes > kMaxBytes) {
    throw Error(fmt::format(
        "{}: the image is {} x {} pixels and takes {:.1f} GB to decode; at most "
        "{} GB are taken",
        name, width, height, static_cast<double>(bytes) / 1e9, kMaxBytes / 1'000'000'000));
  }
}

void throwTruncated(const std::string& name, const char* format) {
  throw Error(fmt::format(
      "{}: the {} file is truncated, so that part of the picture is missing; a complete "
      "file is expected",
      name, format));
}

void throwDamaged(const std::string& name, const char* format, const std::string& what) {
  throw Error(fmt::format("{}: the {} file is damaged ({}); an intact file is expected", name,
                          format, what));
}

void throwUnsupported(const std::string& name, const std::string& what,
                      const std::string& expected) {
  throw Error(fmt::format("{}: {} is not supported; {} is expected", name, what, expected));
}

}  // namespace imaging

Image decodeImage(const std::vector<std::uint8_t>& bytes, const std::string& name) {
  const imaging::Format format = imaging::detectFormat(bytes, name);
  try {
    Image image = imaging::decode(bytes, format, name);
    if (format == imaging::Format::kTiff) return image;
    return imaging::oriented(std::move(image), imaging::readOrientation(bytes, format));
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
