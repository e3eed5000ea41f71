// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "adamerge/error.h"
#include "imaging/decoders.h"
#include "imaging/metadata.h"
#include "imaging/opencv.h"

namespace adamerge::imaging {
namespace {

constexpr int kWhiteIsZero = 0;
constexpr int kCmyk = 5;

void check(const TiffTags& tags, std::size_t size, const std::string& name) {
  checkSize(tags.width, tags.height, name);
  for (std::size_t i = 0; i < std::min(tags.offsets.size(), tags.sizes.size()); ++i) {
    if (tags.offsets[i] + tags.sizes[i] > size) throwTruncated(name, "TIFF");
  }
  // OpenCV would drop the alpha of the first and take the ink of the second for alpha.
  if (tags.samples == 2) {
    throw Error(fmt::format(
        "{}: grey TIFF with an alpha channel is not supported; save it as PNG or as RGB", name));
  }
  if (tags.photometric == kCmyk && tags.bits > 8) {
    throw Error(
        fmt::format("{}: CMYK TIFF of {} bits is not supported; save it with 8 bits or as RGB",
                    name, tags.bits));
  }
}

Alpha alphaOf(const std::optional<TiffTags>& tags, bool bytes) {
  constexpr int kUnspecified = 0;
  constexpr int kPremultiplied = 1;
  constexpr int kStraight = 2;
  const int extra = tags ? tags->extra : kStraight;
  if (extra == kUnspecified) return Alpha::kIgnored;
  if (extra == kPremultiplied) return Alpha::kPremultiplied;
  // libtiff multiplies 8-bit colours by an alpha that the file declares to be straight.
  return extra == kStraight && bytes ? Alpha::kPremultiplied : Alpha::kStraight;
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
  const std::optional<TiffTags> tags = readTiffTags(bytes);
  if (tags) check(*tags, bytes.size(), name);
  const cv::Mat decoded = decodeWithOpenCv(bytes, name, "TIFF");
  Image image = toRgb(decoded, alphaOf(tags, decoded.depth() == CV_8U), name);
  if (tags && tags->photometric == kWhiteIsZero && decoded.depth() != CV_8U) {
    for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(255 - value);
  }
  return image;
}

}  // namespace adamerge::imaging
