// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>

#include "imaging/decoders.h"
#include "imaging/opencv.h"

namespace adamerge::imaging {
namespace {

constexpr std::size_t kSignature = 8;
constexpr std::size_t kChunkFrame = 12;  // length, type, checksum

std::uint32_t big(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24U | std::uint32_t{at[1]} << 16U | std::uint32_t{at[2]} << 8U |
         at[3];
}

std::uint32_t checksum(const std::uint8_t* data, std::size_t size) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value & 1U) * 0xEDB88320U ^ value >> 1U;
      made[i] = value;
    }
    return made;
  }();
  std::uint32_t value = 0xFFFFFFFFU;
  for (std::size_t i = 0; i < size; ++i) value = table[(value ^ data[i]) & 0xFFU] ^ value >> 8U;
  return ~value;
}

struct Header {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  int depth = 0;
  bool grey = false;
  std::optional<int> transparent;  ///< the grey value that means transparent
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
  for (bool end = false; !end;) {
    if (bytes.size() - at < kChunkFrame) throwTruncated(name, "PNG");
    const std::uint8_t* chunk = bytes.data() + at;
    const std::size_t length = big(chunk);
    if (bytes.size() - at - kChunkFrame < length) throwTruncated(name, "PNG");
    const std::string_view type(reinterpret_cast<const char*>(chunk) + 4, 4);
    const std::uint8_t* data = chunk + 8;
    end = type == "IEND";
    const bool first = at == kSignature;
    if (first != (type == "IHDR") || (first && length < 13)) {
      throwDamaged(name, "PNG", "its header is not in its place");
    }
    if (first || end || type == "PLTE" || type == "IDAT" || type == "tRNS") {
      if (big(data + length) != checksum(chunk + 4, length + 4)) {
        throwDamaged(name, "PNG", fmt::format("wrong checksum of its {} chunk", type));
      }
      result.bytes.insert(result.bytes.end(), chunk, chunk + kChunkFrame + length);
    }
    Header& header = result.header;
    if (first) {
      header = {big(data), big(data + 4), data[8], data[9] == 0, std::nullopt};
      checkSize(header.width, header.height, name);
    }
    if (header.grey && type == "tRNS" && length >= 2) header.transparent = data[0] << 8 | data[1];
    at += kChunkFrame + length;
  }
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

}  // namespace

Image decodePng(const Bytes& bytes, const std::string& name) {
  const Checked png = checkedChunks(bytes, name);
  const cv::Mat decoded = decodeWithOpenCv(png.bytes, name, "PNG");
  Image image = toRgb(decoded, Alpha::kStraight, name);
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

}  // namespace adamerge::imaging
