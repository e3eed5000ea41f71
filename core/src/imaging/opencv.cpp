// SPDX-License-Identifier: GPL-3.0-or-later
#include "imaging/opencv.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>

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
void convertRows(const cv::Mat& from, Alpha kind, Image& to, const std::string& name) {
  const int channels = from.channels();
  bool nan = false;
  for (int y = 0; y < from.rows; ++y) {
    const Sample* source = from.ptr<Sample>(y);
    std::uint8_t* out = to.at(0, y);
    for (int x = 0; x < from.cols; ++x, source += channels, out += 3) {
      std::array<std::uint8_t, 4> bytes{};
      for (int c = 0; c < channels; ++c) {
        nan = nan || isNan(source[c]);
        bytes[static_cast<std::size_t>(c)] = toByte(source[c]);
      }
      if (channels == 1) bytes[1] = bytes[2] = bytes[0];
      for (std::size_t c = 0; c < 3; ++c) {
        out[c] = channels == 4 ? overWhite(bytes[2 - c], bytes[3], kind) : bytes[2 - c];
      }
    }
    if (nan) {
      throw Error(
          fmt::format("{}: the image holds values that are not a number (NaN); every value must be "
                      "a number, 0 for black to 1 for white",
                      name));
    }
  }
}

}  // namespace

cv::Mat decodeWithOpenCv(const Bytes& bytes, const std::string& name, const char* format) {
  static std::once_flag once;
  // What is wrong with a file goes into the message of the Error, not onto stderr.
  std::call_once(once,
                 [] { cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT); });
  cv::Mat decoded;
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

Image toRgb(const cv::Mat& decoded, Alpha alpha, const std::string& name) {
  checkSize(decoded.cols, decoded.rows, name);
  const int channels = decoded.channels();
  if (channels != 1 && channels != 3 && channels != 4) {
    throw Error(
        fmt::format("{}: the image has {} channels; 1, 3 or 4 are expected", name, channels));
  }
  Image image{decoded.cols, decoded.rows, {}};
  image.pixels.resize(static_cast<std::size_t>(decoded.cols) * decoded.rows * 3);
  switch (decoded.depth()) {
    case CV_8U:
      convertRows<std::uint8_t>(decoded, alpha, image, name);
      break;
    case CV_16U:
      convertRows<std::uint16_t>(decoded, alpha, image, name);
      break;
    case CV_32F:
      convertRows<float>(decoded, alpha, image, name);
      break;
    case CV_64F:
      convertRows<double>(decoded, alpha, image, name);
      break;
    default:
      throw Error(
          fmt::format("{}: the image has signed or 32-bit integer samples; 8-bit, 16-bit or "
                      "floating-point samples are expected",
                      name));
  }
  return image;
}

Image decodeWebp(const Bytes& bytes, const std::string& name) {
  std::uint64_t claimed = 8;
  if (bytes.size() < 16) throwTruncated(name, "WebP");
  for (int i = 0; i < 4; ++i) claimed += std::uint64_t{bytes[4U + i]} << (8 * i);
  if (bytes.size() < claimed) throwTruncated(name, "WebP");
  constexpr std::size_t kFlags = 20;
  constexpr std::uint8_t kAnimated = 0x02;
  const bool extended = std::equal(bytes.begin() + 12, bytes.begin() + 16, "VP8X");
  if (extended && bytes.size() > kFlags && (bytes[kFlags] & kAnimated) != 0) {
    throw Error(fmt::format("{}: animated WebP is not supported; a still image is expected", name));
  }
  // WebP cannot hold more than 16,383 x 16,383 pixels, which is below the limit.
  return toRgb(decodeWithOpenCv(bytes, name, "WebP"), Alpha::kStraight, name);
}

}  // namespace adamerge::imaging
