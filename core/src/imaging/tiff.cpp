// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

#include "adamerge/error.h"
#include "imaging/opencv.h"

namespace adamerge::imaging {
namespace {

/// What libtiff reads from and what it complains about first.
struct Source {
  const Bytes& bytes;
  std::uint64_t at = 0;
  std::string problem = {};
};

Source& sourceOf(thandle_t handle) { return *static_cast<Source*>(handle); }

int keepProblem(TIFF* /*file*/, void* source, const char* /*module*/, const char* format,
                va_list values) {
  std::array<char, 200> text{};
  std::vsnprintf(text.data(), text.size(), format, values);
  if (sourceOf(source).problem.empty()) sourceOf(source).problem = text.data();
  return 1;
}

int keepQuiet(TIFF*, void*, const char*, const char*, va_list) { return 1; }

using File = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

tmsize_t readBytes(thandle_t handle, void* to, tmsize_t count) {
  Source& source = sourceOf(handle);
  const std::uint64_t left =
      source.bytes.size() - std::min(source.at, std::uint64_t{source.bytes.size()});
  const std::uint64_t some = std::min(left, static_cast<std::uint64_t>(count));
  if (some > 0) std::memcpy(to, source.bytes.data() + source.at, some);
  source.at += some;
  return static_cast<tmsize_t>(some);
}

toff_t seek(thandle_t handle, toff_t offset, int whence) {
  Source& source = sourceOf(handle);
  const std::uint64_t base = whence == SEEK_CUR   ? source.at
                             : whence == SEEK_END ? source.bytes.size()
                                                  : 0;
  return source.at = base + offset;
}

File open(Source& source) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(
      TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keepProblem, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), keepQuiet, nullptr);
  constexpr tmsize_t kMostAtOnce = 2'000'000'000;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMostAtOnce);
  return {
      TIFFClientOpenExt(
          "", "rm", &source, readBytes, [](thandle_t, void*, tmsize_t) -> tmsize_t { return 0; },
          seek, [](thandle_t) { return 0; },
          [](thandle_t handle) -> toff_t { return sourceOf(handle).bytes.size(); }, nullptr,
          nullptr, options.get()),
      TIFFClose};
}

/// The tags of the first picture that decide how it is read.
struct Tags {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint16_t bits = 1;     ///< per sample
  std::uint16_t samples = 1;  ///< per pixel
  std::uint16_t format = SAMPLEFORMAT_UINT;
  std::uint16_t planes = PLANARCONFIG_CONTIG;
  std::uint16_t photometric = PHOTOMETRIC_MINISBLACK;
  std::uint16_t orientation = ORIENTATION_TOPLEFT;
  int extra = -1;  ///< EXTRASAMPLE_..., -1: not said

  bool floating() const { return format == SAMPLEFORMAT_IEEEFP; }
  /// By libtiff itself, which knows palettes, inks, luma and odd bits.
  bool bytes() const { return bits <= 8; }
  std::size_t sampleSize() const { return bits <= 16 ? 2 : bits / 8U; }
};

Tags readTags(TIFF* file) {
  Tags tags;
  TIFFGetField(file, TIFFTAG_IMAGEWIDTH, &tags.width);
  TIFFGetField(file, TIFFTAG_IMAGELENGTH, &tags.height);
  TIFFGetFieldDefaulted(file, TIFFTAG_BITSPERSAMPLE, &tags.bits);
  TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLESPERPIXEL, &tags.samples);
  TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLEFORMAT, &tags.format);
  TIFFGetFieldDefaulted(file, TIFFTAG_PLANARCONFIG, &tags.planes);
  TIFFGetFieldDefaulted(file, TIFFTAG_ORIENTATION, &tags.orientation);
  if (TIFFGetField(file, TIFFTAG_PHOTOMETRIC, &tags.photometric) == 0 && tags.samples >= 3) {
    tags.photometric = PHOTOMETRIC_RGB;
  }
  std::uint16_t count = 0;
  std::uint16_t* kinds = nullptr;
  if (TIFFGetField(file, TIFFTAG_EXTRASAMPLES, &count, &kinds) != 0 && count > 0) {
    tags.extra = kinds[0];
  }
  return tags;
}

void check(const Tags& tags, TIFF* file, std::size_t size, const std::string& name) {
  const bool integer = tags.format == SAMPLEFORMAT_UINT || tags.format == SAMPLEFORMAT_VOID;
  checkSize(tags.width, tags.height,
            tags.bytes() ? 4 : static_cast<std::int64_t>(tags.samples * tags.sampleSize()), name);
  const std::uint32_t pieces =
      TIFFIsTiled(file) ? TIFFNumberOfTiles(file) : TIFFNumberOfStrips(file);
  for (std::uint32_t i = 0; i < pieces; ++i) {
    const std::uint64_t offset = TIFFGetStrileOffset(file, i);
    const std::uint64_t length = TIFFGetStrileByteCount(file, i);
    if (offset > size || length > size - offset) throwTruncated(name, "TIFF");
  }
  if (tags.samples == 2) {
    throwUnsupported(name, "grey TIFF with an alpha channel", "PNG or RGB");
  }
  if (!tags.bytes() && tags.photometric == PHOTOMETRIC_SEPARATED) {
    throwUnsupported(name, fmt::format("CMYK TIFF of {} bits", tags.bits), "8 bits or RGB");
  }
  if (!(integer && tags.bits <= 16) && !(tags.floating() && (tags.bits == 32 || tags.bits == 64))) {
    throw Error(
        fmt::format("{}: the image has signed, complex or {}-bit samples; 8-bit, 16-bit or "
                    "floating-point samples are expected",
                    name, tags.bits));
  }
  if (tags.bytes()) return;
  const bool rgb = tags.photometric == PHOTOMETRIC_RGB;
  const bool grey = tags.photometric <= PHOTOMETRIC_MINISBLACK;
  if (!(grey && tags.samples == 1) && !(rgb && (tags.samples == 3 || tags.samples == 4))) {
    throwUnsupported(
        name,
        fmt::format("TIFF with {} channels of {} bits and photometric interpretation {}",
                    tags.samples, tags.bits, tags.photometric),
        "grey or RGB, with or without alpha,");
  }
}

/// Samples of more than 8 bits as they come out of libtiff become 16 or more, row by row.
class Samples {
 public:
  Samples(TIFF* file, const Tags& tags)
      : file_(file), tags_(tags), planes_(tags.planes == PLANARCONFIG_SEPARATE ? tags.samples : 1) {
    const int depth = tags.floating() ? (tags.bits == 32 ? CV_32F : CV_64F) : CV_16U;
    pixels_ = cv::Mat::zeros(static_cast<int>(tags.height), static_cast<int>(tags.width),
                             CV_MAKETYPE(depth, tags.samples));
  }

  /// False where libtiff cannot decode some part.
  bool read() { return TIFFIsTiled(file_) ? readTiles() : readRows(); }
  const cv::Mat& pixels() const { return pixels_; }

 private:
  bool readRows() {
    Bytes row(static_cast<std::size_t>(TIFFScanlineSize64(file_)));
    if (row.size() < packedSize(tags_.width)) return false;
    for (int plane = 0; plane < planes_; ++plane) {
      for (std::uint32_t y = 0; y < tags_.height; ++y) {
        if (TIFFReadScanline(file_, row.data(), y, static_cast<std::uint16_t>(plane)) < 0) {
          return false;
        }
        place(row.data(), 0, y, tags_.width, plane);
      }
    }
    return true;
  }

  bool readTiles() {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    TIFFGetField(file_, TIFFTAG_TILEWIDTH, &width);
    TIFFGetField(file_, TIFFTAG_TILELENGTH, &height);
    // The edge's tiles reach beyond the picture, but not by much.
    constexpr std::uint64_t kMost = 1U << 28U;
    const std::uint64_t size = TIFFTileSize64(file_);
    const std::uint64_t stride = TIFFTileRowSize64(file_);
    if (size > kMost || stride < packedSize(width) || size < stride * height) return false;
    Bytes tile(size);
    for (int plane = 0; plane < planes_; ++plane) {
      for (std::uint32_t y = 0; y < tags_.height; y += height) {
        for (std::uint32_t x = 0; x < tags_.width; x += width) {
          if (TIFFReadTile(file_, tile.data(), x, y, 0, static_cast<std::uint16_t>(plane)) < 0) {
            return false;
          }
          const std::uint32_t count = std::min(width, tags_.width - x);
          for (std::uint32_t i = 0; i < std::min(height, tags_.height - y); ++i) {
            place(tile.data() + i * stride, x, y + i, count, plane);
          }
        }
      }
    }
    return true;
  }

  std::size_t packedSize(std::size_t pixels) const {
    return (pixels * static_cast<std::size_t>(tags_.samples / planes_) * tags_.bits + 7) / 8;
  }

  void place(const std::uint8_t* from, std::uint32_t x, std::uint32_t y, std::uint32_t pixels,
             int plane) {
    const std::size_t size = tags_.sampleSize();
    const std::size_t together = static_cast<std::size_t>(tags_.samples / planes_);
    std::uint8_t* row = pixels_.ptr(static_cast<int>(y), static_cast<int>(x));
    std::size_t bit = 0;
    for (std::size_t i = 0; i < pixels * together; ++i) {
      std::uint8_t* to = row + (planes_ == 1 ? i : i * tags_.samples + plane) * size;
      if (tags_.bits % 16 == 0) {
        std::memcpy(to, from + i * size, size);
        continue;
      }
      unsigned value = 0;
      for (int k = 0; k < tags_.bits; ++k, ++bit) {
        value = value << 1U | (from[bit / 8] >> (7 - bit % 8) & 1U);
      }
      const auto scaled = static_cast<std::uint16_t>(value * 65535U / ((1U << tags_.bits) - 1));
      std::memcpy(to, &scaled, size);
    }
  }

  TIFF* file_;
  const Tags& tags_;
  int planes_;
  cv::Mat pixels_;
};

Alpha alphaOf(const Tags& tags) {
  if (tags.extra == EXTRASAMPLE_UNSPECIFIED) return Alpha::kIgnored;
  if (tags.extra == EXTRASAMPLE_ASSOCALPHA) return Alpha::kPremultiplied;
  // libtiff multiplies 8-bit colours by an alpha that the file declares to be straight. Where the
  // file says nothing, as OpenCV writes it, it is straight as well.
  return tags.extra == EXTRASAMPLE_UNASSALPHA && tags.bytes() ? Alpha::kPremultiplied
                                                              : Alpha::kStraight;
}

Image decodeBytes(TIFF* file, const Tags& tags, const Source& source, const std::string& name) {
  std::array<char, 1024> reason{};
  if (TIFFRGBAImageOK(file, reason.data()) == 0) {
    throwUnsupported(name, fmt::format("this kind of TIFF ({})", reason.data()), "RGB");
  }
  std::vector<std::uint32_t> raster(static_cast<std::size_t>(tags.width) * tags.height);
  // Asked for as it is stored, libtiff turns nothing.
  if (TIFFReadRGBAImageOriented(file, tags.width, tags.height, raster.data(), tags.orientation,
                                1) == 0) {
    throwDamaged(name, "TIFF", source.problem);
  }
  return toRgb(
      cv::Mat(static_cast<int>(tags.height), static_cast<int>(tags.width), CV_8UC4, raster.data()),
      Order::kRgb, alphaOf(tags), name);
}

Image decodeSamples(TIFF* file, const Tags& tags, const Source& source, const std::string& name) {
  Samples samples(file, tags);
  if (!samples.read()) throwDamaged(name, "TIFF", source.problem);
  Image image = toRgb(samples.pixels(), Order::kRgb, alphaOf(tags), name);
  if (tags.photometric == PHOTOMETRIC_MINISWHITE) {
    for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(255 - value);
  }
  return image;
}

/// Whether other pictures come after the first, as pages do; smaller copies of it and masks are
/// none.
bool hasMorePages(TIFF* file) {
  // Of a pyramid there are fewer copies. Reading a directory of a hostile file takes long.
  constexpr int kMostLooks = 16;
  for (int i = 0; i < kMostLooks && TIFFReadDirectory(file) != 0; ++i) {
    std::uint32_t kind = 0;
    TIFFGetFieldDefaulted(file, TIFFTAG_SUBFILETYPE, &kind);
    if ((kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) == 0) return true;
  }
  return false;
}

/// Libraries like to write a TIFF's directory last, so that it is the first thing to be lost.
void checkDirectory(const Bytes& bytes, const std::string& name) {
  if (bytes.size() < 8) throwTruncated(name, "TIFF");
  constexpr std::uint8_t kBigTiff = 43;
  const bool little = bytes[0] == 'I';
  if (bytes[little ? 2 : 3] == kBigTiff) return;
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < 4; ++i)
    offset |= std::uint64_t{bytes[4 + (little ? i : 3 - i)]} << 8 * i;
  if (offset + 2 > bytes.size()) throwTruncated(name, "TIFF");
  const std::size_t first = bytes[offset];
  const std::size_t second = bytes[offset + 1];
  const std::size_t entries = little ? first | second << 8U : first << 8U | second;
  constexpr std::size_t kEntrySize = 12;
  if (offset + 2 + entries * kEntrySize > bytes.size()) throwTruncated(name, "TIFF");
}

}  // namespace

Image decodeTiff(const Bytes& bytes, const std::string& name) {
  checkDirectory(bytes, name);
  Source source{bytes};
  const File file = open(source);
  if (!file) throwDamaged(name, "TIFF", source.problem);
  const Tags tags = readTags(file.get());
  check(tags, file.get(), bytes.size(), name);
  Image image = tags.bytes() ? decodeBytes(file.get(), tags, source, name)
                             : decodeSamples(file.get(), tags, source, name);
  if (hasMorePages(file.get())) image.note = "holds several pages, of which the first is read";
  return oriented(std::move(image), tags.orientation);
}

}  // namespace adamerge::imaging
