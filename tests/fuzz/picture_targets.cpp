// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstring>

#include "adamerge/error.h"
#include "adamerge/image.h"
#include "targets.h"

namespace adamerge::fuzz {
namespace {

void check(const Image& image) {
  require(image.width > 0 && image.height > 0, "a picture without pixels");
  const auto pixels =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  require(image.pixels.size() == pixels * 3, "a picture of another size than it says");
}

void readImage(Bytes input) {
  const Image image = decodeImage({input.begin(), input.end()}, "picture");
  check(image);
  touch(image.pixels);
}

/// Sizes from the input, within what configs and pictures may have.
void prepare(Bytes input) {
  struct Sizes {
    std::uint16_t width, height, crop_width, crop_height;
    std::uint32_t resize_width, resize_height;
    std::uint8_t resize, filter, flags;
  } sizes{};
  std::memcpy(&sizes, input.data(), std::min(input.size(), sizeof sizes));
  Image image;
  image.width = 1 + sizes.width % 300;
  image.height = 1 + sizes.height;
  if ((sizes.flags & 1U) != 0) std::swap(image.width, image.height);
  const auto pixels =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  if (pixels > 1'000'000) return;
  image.pixels.assign(pixels * 3, 100);
  Preprocessing how;
  how.resize = static_cast<Preprocessing::Resize>(sizes.resize % 3);
  how.interpolation = static_cast<Interpolation>(sizes.filter % 4);
  how.floating_point = (sizes.flags & 2U) != 0;
  how.crop_width = 1 + sizes.crop_width % 300;
  how.crop_height = 1 + sizes.crop_height % 300;
  constexpr std::uint32_t kMost = 1U << 20U;
  how.resize_width = static_cast<int>(1 + sizes.resize_width % kMost);
  how.resize_height = static_cast<int>(1 + sizes.resize_height % kMost);
  const PreparedImage prepared = prepareImage(image, how);
  touch(prepared.view.pixels);
}

}  // namespace

std::vector<Target> pictureTargets() {
  return {{"jpeg", readImage}, {"png", readImage}, {"tiff", readImage}, {"webp", readImage},
          {"bmp", readImage},  {"pnm", readImage}, {"prepare", prepare}};
}

}  // namespace adamerge::fuzz
