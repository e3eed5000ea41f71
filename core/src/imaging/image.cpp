// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exiv2/exiv2.hpp>
#include <exiv2/webpimage.hpp>
#include <mutex>
#include <new>
#include <optional>
#include <set>
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

void checkSize(std::int64_t width, std::int64_t height, std::int64_t decoder_bytes,
               const std::string& name, std::int64_t tables) {
  if (width <= 0 || height <= 0) {
    throw Error(fmt::format("{}: the image has no pixels ({} x {}); at least 1 x 1 is expected",
                            name, width, height));
  }
  if (width > kMaxPixels / height) {
    throw Error(fmt::format("{}: the image is {} x {} pixels; at most {} million pixels are read",
                            name, width, height, kMaxPixels / 1'000'000));
  }
  constexpr std::int64_t kMaxBytes = 2'000'000'000;
  const std::int64_t bytes = width * height * (3 + decoder_bytes) + tables;
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

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 14> kExtensions = {
    ".jpg",  ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif",
    ".tiff", ".bmp",  ".dib", ".ppm",  ".pgm", ".pbm",  ".pnm"};

bool isImageName(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

class Search {
 public:
  explicit Search(const std::stop_token& stop) : stop_(stop) {}

  /// The reason why `folder` cannot be listed, if any.
  std::error_code visit(const fs::path& folder) {
    std::error_code code;
    const fs::path real = fs::canonical(folder, code);
    // Links may lead back to a folder above, or twice to the same one.
    if (code || !seen_.insert(real).second) return code;
    fs::directory_iterator entry(folder, code);
    if (code) return code;
    std::vector<fs::path> folders;
    for (; entry != fs::directory_iterator(); entry.increment(code)) {
      throwIfStopped(stop_);
      if (code) return code;
      const fs::path& path = entry->path();
      if (isPassedOver(path)) continue;
      std::error_code unknown;
      if (entry->is_directory(unknown)) {
        // A real folder before links to it: its images keep their real path.
        folders.push_back(path);
      } else if (entry->is_regular_file(unknown) && isImageName(path)) {
        found_.push_back(path);
      }
    }
    if (code) return code;
    std::sort(folders.begin(), folders.end());
    std::stable_partition(folders.begin(), folders.end(),
                          [&](const fs::path& path) { return !fs::is_symlink(path, code); });
    // A closed folder further down does not spoil the rest.
    for (const fs::path& path : folders) visit(path);
    return {};
  }

  std::vector<fs::path> sorted() && {
    std::sort(found_.begin(), found_.end());
    return std::move(found_);
  }

 private:
  const std::stop_token& stop_;
  std::set<fs::path> seen_;
  std::vector<fs::path> found_;
};

}  // namespace

std::vector<fs::path> findImages(const fs::path& folder, const std::stop_token& stop) {
  std::error_code code;
  const fs::file_status status = fs::status(folder, code);
  if (status.type() == fs::file_type::not_found) {
    throw Error(fmt::format(
        "{}: there is no such file or folder; an image or a folder of images is expected",
        folder.string()));
  }
  if (code) throw Error(fmt::format("{}: cannot be read: {}", folder.string(), code.message()));
  if (!fs::is_directory(status)) return {folder};
  Search search(stop);
  code = search.visit(folder);
  if (code) {
    throw Error(
        fmt::format("{}: the folder cannot be listed: {}", folder.string(), code.message()));
  }
  std::vector<fs::path> images = std::move(search).sorted();
  if (images.empty()) {
    throw Error(fmt::format("{}: the folder holds no image; {} files are expected", folder.string(),
                            imaging::kSupportedFormats));
  }
  return images;
}

}  // namespace adamerge
