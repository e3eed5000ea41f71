// SPDX-License-Identifier: GPL-3.0-or-later
// The formats whose pixels OpenCV decodes, PNG and BMP, and what each needs checked before.
#include "imaging/opencv.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <optional>
#include <streambuf>
#include <string_view>

#include "adamerge/error.h"
#include "imaging/decoders.h"

namespace adamerge::imaging {
namespace {

std::uint8_t toByte(std::uint8_t value) { return value; }
std::uint8_t toByte(std::uint16_t value) { return static_cast<std::uint8_t>((value + 128) / 257); }
template <typename Real>
std::uint8_t toByte(Real value) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(value, Real(0), Real(1)) * Real(255)));
}

template <typename Sample>
bool isNan(Sample value) {
  if constexpr (std::is_floating_point_v<Sample>) return std::isnan(value);
  return false;
}

std::uint8_t overWhite(int color, int alpha, Alpha kind) {
  if (kind == Alpha::kIgnored) return static_cast<std::uint8_t>(color);
  if (kind == Alpha::kPremultiplied) {
    return static_cast<std::uint8_t>(std::min(255, color + 255 - alpha));
  }
  // Pillow's division by 255, rounded.
  const int sum = color * alpha + 255 * (255 - alpha) + 128;
  return static_cast<std::uint8_t>(((sum >> 8) + sum) >> 8);
}

template <typename Sample>
void convertRows(const cv::Mat& from, Order order, Alpha kind, Image& to, const std::string& name) {
  const int channels = from.channels();
  bool nan = false;
  std::int64_t beyond = 0;
  for (int y = 0; y < from.rows; ++y) {
    const auto* source = from.ptr<Sample>(y);
    std::uint8_t* out = to.at(0, y);
    for (int x = 0; x < from.cols; ++x, source += channels, out += 3) {
      std::array<std::uint8_t, 4> bytes{};
      for (int c = 0; c < channels; ++c) {
        nan = nan || isNan(source[c]);
        if constexpr (std::is_floating_point_v<Sample>) beyond += source[c] > 1 ? 1 : 0;
        bytes[static_cast<std::size_t>(c)] = toByte(source[c]);
      }
      if (channels == 1) bytes[1] = bytes[2] = bytes[0];
      for (std::size_t c = 0; c < 3; ++c) {
        const std::uint8_t color = bytes[order == Order::kBgr ? 2 - c : c];
        out[c] = channels == 4 ? overWhite(color, bytes[3], kind) : color;
      }
    }
    if (nan) {
      throw Error(
          fmt::format("{}: the image holds values that are not a number (NaN); every value must be "
                      "a number, 0 for black to 1 for white",
                      name));
    }
  }
  // Highlights may exceed white, not most of a picture.
  if (beyond > std::int64_t{from.rows} * from.cols * channels / 2) {
    throw Error(
        fmt::format("{}: most of the image's floating-point values are above 1; 0 for black "
                    "to 1 for white is expected",
                    name));
  }
}

constexpr std::size_t kSignature = 8;
constexpr std::size_t kChunkFrame = 12;  // length, type, checksum

std::uint32_t big(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24U | std::uint32_t{at[1]} << 16U | std::uint32_t{at[2]} << 8U |
         at[3];
}

struct Header {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  int depth = 0;
  int color = 0;
  std::optional<int> transparent;  ///< the grey value that means transparent
  std::uint32_t frames = 1;        ///< of an animation

  bool grey() const { return color == 0; }
  /// Of all rows, not interlaced, with their filter's number.
  std::int64_t unpacked() const {
    const std::int64_t channels = color == 2 ? 3 : color == 4 ? 2 : color == 6 ? 4 : 1;
    return (std::int64_t{width} * channels * depth + 7) / 8 * height + height;
  }
};

struct Checked {
  Header header;
  Bytes bytes;
};

/// Keeps the chunks that make up the picture. libpng never sees the others, so it has nothing to
/// say about broken colour profiles on the user's terminal; nor a chunk with a wrong checksum.
Checked checkedChunks(const Bytes& bytes, const std::string& name) {
  Checked result;
  result.bytes.assign(bytes.begin(), bytes.begin() + kSignature);
  std::size_t at = kSignature;
  std::int64_t compressed = 0;
  for (bool end = false; !end;) {
    if (bytes.size() - at < kChunkFrame) throwTruncated(name, "PNG");
    const std::uint8_t* chunk = bytes.data() + at;
    const std::size_t length = big(chunk);
    if (bytes.size() - at - kChunkFrame < length) throwTruncated(name, "PNG");
    const std::string_view type(reinterpret_cast<const char*>(chunk) + 4, 4);
    const std::uint8_t* data = chunk + 8;
    end = type == "IEND";
    const bool first = at == kSignature;
    if (first && type == "CgBI") {
      throwUnsupported(name, "Apple's own kind of PNG (CgBI, made for iOS programs)",
                       "an ordinary PNG");
    }
    if (first != (type == "IHDR") || (first && length < 13)) {
      throwDamaged(name, "PNG", "its header is not in its place");
    }
    if (first || end || type == "PLTE" || type == "IDAT" || type == "tRNS") {
      if (big(data + length) != crc32(0, chunk + 4, static_cast<uInt>(length + 4))) {
        throwDamaged(name, "PNG", fmt::format("wrong checksum of its {} chunk", type));
      }
      result.bytes.insert(result.bytes.end(), chunk, chunk + kChunkFrame + length);
    }
    Header& header = result.header;
    if (first) {
      header = {big(data), big(data + 4), data[8], data[9], std::nullopt, 1};
      // OpenCV makes three or four channels of all but grey.
      const std::int64_t channels = header.grey() ? 1 : 4;
      checkSize(header.width, header.height, channels * (header.depth > 8 ? 2 : 1), name);
    }
    if (type == "IDAT") compressed += length;
    if (type == "acTL" && length >= 4) header.frames = big(data);
    if (header.grey() && type == "tRNS" && length >= 2) header.transparent = data[0] << 8 | data[1];
    at += kChunkFrame + length;
  }
  // No more can come out of deflate.
  constexpr std::int64_t kMostInflation = 1032;
  if (result.header.unpacked() > (compressed + 1) * kMostInflation) throwTruncated(name, "PNG");
  return result;
}

template <typename Sample>
void whiten(const cv::Mat& grey, int value, Image& image) {
  for (int y = 0; y < grey.rows; ++y) {
    for (int x = 0; x < grey.cols; ++x) {
      if (grey.at<Sample>(y, x) == value) std::fill_n(image.at(x, y), 3, std::uint8_t{255});
    }
  }
}

std::uint32_t little(const Bytes& bytes, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int i = 0; i < count; ++i) {
    value |= std::uint32_t{bytes[at + static_cast<std::size_t>(i)]} << (8 * i);
  }
  return value;
}

/// OpenCV writes what it catches itself to std::cerr, whatever its log level. While one lives, what
/// this thread writes there is dropped.
class QuietErrors {
 public:
  QuietErrors() {
    // Never destroyed: std::cerr is used until the very end.
    static Buffer* const kInstalled = [] {
      auto* buffer = new Buffer(std::cerr.rdbuf());
      std::cerr.rdbuf(buffer);
      return buffer;
    }();
    static_cast<void>(kInstalled);
    quiet = true;
  }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
  ~QuietErrors() { quiet = false; }

 private:
  class Buffer : public std::streambuf {
   public:
    explicit Buffer(std::streambuf* behind) : behind_(behind) {}

   protected:
    int_type overflow(int_type c) override {
      return quiet ? traits_type::not_eof(c) : behind_->sputc(traits_type::to_char_type(c));
    }
    std::streamsize xsputn(const char* text, std::streamsize count) override {
      return quiet ? count : behind_->sputn(text, count);
    }
    int sync() override { return quiet ? 0 : behind_->pubsync(); }

   private:
    std::streambuf* behind_;
  };
  inline static thread_local bool quiet = false;
};

}  // namespace

cv::Mat decodeWithOpenCv(const Bytes& bytes, const std::string& name, const char* format) {
  static std::once_flag once;
  // What is wrong with a file goes into the message of the Error, not onto stderr.
  std::call_once(once,
                 [] { cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT); });
  cv::Mat decoded;
  const QuietErrors quiet;
  try {
    decoded = cv::imdecode(bytes, cv::IMREAD_UNCHANGED);
  } catch (const cv::Exception& error) {
    if (error.msg.find("MAX_IMAGE") != std::string::npos) {
      throw Error(fmt::format("{}: the image is too large; at most {} million pixels are read",
                              name, kMaxPixels / 1'000'000));
    }
    throwDamaged(name, format, error.err);
  }
  if (decoded.empty()) throwDamaged(name, format, "its pixels cannot be decoded");
  return decoded;
}

Image toRgb(const cv::Mat& decoded, Order order, Alpha alpha, const std::string& name) {
  const int channels = decoded.channels();
  if (channels != 1 && channels != 3 && channels != 4) {
    throw Error(
        fmt::format("{}: the image has {} channels; 1, 3 or 4 are expected", name, channels));
  }
  Image image{decoded.cols, decoded.rows, {}};
  image.pixels.resize(static_cast<std::size_t>(decoded.cols) * decoded.rows * 3);
  switch (decoded.depth()) {
    case CV_8U:
      convertRows<std::uint8_t>(decoded, order, alpha, image, name);
      break;
    case CV_16U:
      convertRows<std::uint16_t>(decoded, order, alpha, image, name);
      break;
    case CV_32F:
      convertRows<float>(decoded, order, alpha, image, name);
      break;
    case CV_64F:
      convertRows<double>(decoded, order, alpha, image, name);
      break;
    default:
      throw Error(
          fmt::format("{}: the image has signed or 32-bit integer samples; 8-bit, 16-bit or "
                      "floating-point samples are expected",
                      name));
  }
  return image;
}

Image decodePng(const Bytes& bytes, const std::string& name) {
  const Checked png = checkedChunks(bytes, name);
  const cv::Mat decoded = decodeWithOpenCv(png.bytes, name, "PNG");
  Image image = toRgb(decoded, Order::kBgr, Alpha::kStraight, name);
  if (png.header.frames > 1) {
    image.note = fmt::format("is an animation of {} pictures, of which the first is read",
                             png.header.frames);
  }
  // OpenCV turns a transparent colour into alpha for RGB and palettes, not for grey.
  const Header& header = png.header;
  if (header.transparent && decoded.type() == CV_16UC1) {
    whiten<std::uint16_t>(decoded, *header.transparent, image);
  } else if (header.transparent && decoded.type() == CV_8UC1) {
    const int scale = header.depth < 8 ? 255 / ((1 << header.depth) - 1) : 1;
    whiten<std::uint8_t>(decoded, *header.transparent * scale, image);
  }
  return image;
}

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
  checkSize(width, height, 4, name);
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
  } else if ((compression == 1 || compression == 2) &&
             static_cast<std::int64_t>(bytes.size()) - little(bytes, 10, 4) < 2 * height) {
    // Run lengths end each row with two bytes.
    throwTruncated(name, "BMP");
  }
  return toRgb(decodeWithOpenCv(bytes, name, "BMP"), Order::kBgr, Alpha::kStraight, name);
}

}  // namespace adamerge::imaging
