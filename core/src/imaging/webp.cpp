// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <webp/decode.h>

#include <algorithm>
#include <new>
#include <opencv2/core/mat.hpp>

#include "adamerge/error.h"
#include "imaging/opencv.h"

namespace adamerge::imaging {
namespace {

WebPBitstreamFeatures featuresOf(const Bytes& bytes, const std::string& name) {
  WebPBitstreamFeatures features;
  switch (WebPGetFeatures(bytes.data(), bytes.size(), &features)) {
    case VP8_STATUS_OK:
      return features;
    case VP8_STATUS_NOT_ENOUGH_DATA:
      throwTruncated(name, "WebP");
    default:
      throwDamaged(name, "WebP", "its header cannot be read");
  }
}

/// What libwebp takes for the prefix codes of a lossless stream before it has read them: for each
/// group of five a table of at most 5,004 entries of 4 bytes and a struct. A group serves blocks of
/// at least 4 x 4 pixels, has a number of 16 bits, and naming it takes a bit of the file or more.
std::int64_t codeTables(const WebPBitstreamFeatures& features, const Bytes& bytes) {
  constexpr std::int64_t kBytesPerGroup = 5'004 * 4 + 568;
  constexpr std::int64_t kMostGroups = 1 << 16;
  const std::int64_t blocks = ((features.width + 3) / 4) * std::int64_t{(features.height + 3) / 4};
  return kBytesPerGroup *
         std::min({blocks, kMostGroups, static_cast<std::int64_t>(bytes.size()) * 8});
}

}  // namespace

Image decodeWebp(const Bytes& bytes, const std::string& name) {
  std::uint64_t claimed = 8;
  if (bytes.size() < 16) throwTruncated(name, "WebP");
  for (int i = 0; i < 4; ++i) claimed += std::uint64_t{bytes[4U + i]} << (8 * i);
  if (bytes.size() < claimed) throwTruncated(name, "WebP");
  const WebPBitstreamFeatures features = featuresOf(bytes, name);
  if (features.has_animation != 0) {
    throw Error(fmt::format("{}: animated WebP is not supported; a still image is expected", name));
  }
  // A lossless stream, of colours or of alpha alone, is held whole, with its transforms' own images
  // of a quarter of a byte per pixel each; a lossy one a few rows at a time.
  constexpr int kLossless = 2;
  const bool alpha = features.has_alpha != 0;
  const bool whole = alpha || features.format == kLossless;
  checkSize(features.width, features.height, (whole ? 5 : 1) + (alpha ? 4 : 0), name,
            whole ? codeTables(features, bytes) : 0);

  Image image{features.width, features.height, {}};
  cv::Mat decoded;
  if (alpha) {
    decoded.create(features.height, features.width, CV_8UC4);
  } else {
    image.pixels.resize(static_cast<std::size_t>(features.width) * features.height * 3);
  }
  WebPDecoderConfig config;
  WebPInitDecoderConfig(&config);
  config.output.colorspace = alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = alpha ? decoded.data : image.pixels.data();
  config.output.u.RGBA.stride = features.width * (alpha ? 4 : 3);
  config.output.u.RGBA.size =
      static_cast<std::size_t>(config.output.u.RGBA.stride) * features.height;
  switch (WebPDecode(bytes.data(), bytes.size(), &config)) {
    case VP8_STATUS_OK:
      break;
    case VP8_STATUS_OUT_OF_MEMORY:
      throw std::bad_alloc();
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      throwTruncated(name, "WebP");
    default:
      throwDamaged(name, "WebP", "its pixels cannot be decoded");
  }
  if (alpha) return toRgb(decoded, Order::kRgb, Alpha::kStraight, name);
  return image;
}

}  // namespace adamerge::imaging
