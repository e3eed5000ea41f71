// SPDX-License-Identifier: GPL-3.0-or-later
#include "imaging/resample.h"

#include "pictures.h"

namespace adamerge::imaging {
namespace {

using test::difference;
using test::pattern;

constexpr std::array kAll = {Interpolation::kNearest, Interpolation::kBilinear,
                             Interpolation::kBicubic, Interpolation::kLanczos};

Image part(const Image& image, const Window& window) {
  Image out{window.width, window.height, {}};
  for (int y = 0; y < window.height; ++y) {
    const std::uint8_t* row = image.at(window.x, window.y + y);
    out.pixels.insert(out.pixels.end(), row, row + static_cast<std::ptrdiff_t>(window.width) * 3);
  }
  return out;
}

TEST(Resample, WindowEqualsTheSamePartOfTheFullResult) {
  const Image image = pattern(97, 61);
  constexpr std::array<std::array<int, 2>, 4> kSizes = {
      {{40, 25}, {200, 131}, {31, 150}, {97, 30}}};
  for (const Interpolation interpolation : kAll) {
    for (const auto& [width, height] : kSizes) {
      SCOPED_TRACE(testing::Message()
                   << static_cast<int>(interpolation) << ": " << width << " x " << height);
      const Image full = resample(image, width, height, interpolation, {0, 0, width, height});
      for (const Window window :
           {Window{7, 3, 20, 18}, {0, 0, 1, 1}, {width - 5, height - 4, 5, 4}}) {
        const Image some = resample(image, width, height, interpolation, window);
        EXPECT_EQ(some.pixels, part(full, window).pixels);
      }
    }
  }
}

TEST(Resample, EqualSizeChangesNothing) {
  const Image image = pattern(40, 30);
  for (const Interpolation interpolation : kAll) {
    EXPECT_EQ(resample(image, 40, 30, interpolation, {0, 0, 40, 30}).pixels, image.pixels);
  }
}

TEST(Resample, PlainColorStaysPlain) {
  Image image = pattern(50, 40);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = i % 3 == 0 ? 255 : 7;
  for (const Interpolation interpolation : kAll) {
    const Image out = resample(image, 33, 71, interpolation, {0, 0, 33, 71});
    Image expected{33, 71, std::vector<std::uint8_t>(out.pixels.size())};
    for (std::size_t i = 0; i < expected.pixels.size(); ++i) {
      expected.pixels[i] = i % 3 == 0 ? 255 : 7;
    }
    EXPECT_EQ(difference(out, expected).largest, 0);
  }
}

}  // namespace
}  // namespace adamerge::imaging
