// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include <exiv2/exiv2.hpp>
#include <opencv2/core.hpp>

#include "error_message.h"
#include "pictures.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

using test::Bytes;
using test::bytesOf;
using test::Color;
using test::colorAt;
using test::difference;
using test::encode;
using test::preprocessingData;

/// Four fields A B / C D of grey.
cv::Mat quadrants(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int field = (y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1);
      picture.at<cv::Vec3b>(y, x) = cv::Vec3b::all(static_cast<std::uint8_t>(40 + 60 * field));
    }
  }
  return picture;
}

std::string fields(const Image& image) {
  std::string seen;
  for (const int y : {image.height / 4, image.height * 3 / 4}) {
    for (const int x : {image.width / 4, image.width * 3 / 4}) {
      seen += static_cast<char>('A' + (image.at(x, y)[0] - 40 + 30) / 60);
    }
  }
  return seen;
}

Bytes withOrientation(const Bytes& bytes, int orientation) {
  const auto image = Exiv2::ImageFactory::open(bytes.data(), static_cast<long>(bytes.size()));
  image->readMetadata();
  image->exifData()["Exif.Image.Orientation"] = static_cast<std::uint16_t>(orientation);
  image->writeMetadata();
  Exiv2::BasicIo& io = image->io();
  io.open();
  Bytes written(io.size());
  EXPECT_EQ(static_cast<std::size_t>(io.read(written.data(), static_cast<long>(written.size()))),
            written.size());
  return written;
}

void expectOriented(const std::function<Bytes(int)>& make) {
  const std::array<std::string, 8> expected = {"ABCD", "BADC", "DCBA", "CDAB",
                                               "ACBD", "CADB", "DBCA", "BDAC"};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    SCOPED_TRACE(orientation);
    const Image image = decodeImage(make(orientation), "turned");
    EXPECT_EQ(fields(image), expected[static_cast<std::size_t>(orientation - 1)]);
    EXPECT_EQ(image.width, orientation <= 4 ? 48 : 32);
    EXPECT_EQ(image.height, orientation <= 4 ? 32 : 48);
  }
}

TEST(LoadImage, AppliesEveryOrientationOnce) {
  for (const char* extension : {".jpg", ".png", ".webp", ".tif"}) {
    SCOPED_TRACE(extension);
    const Bytes plain = encode(quadrants(48, 32), extension);
    expectOriented([&](int orientation) { return withOrientation(plain, orientation); });
  }
  SCOPED_TRACE("16-bit TIFF");
  cv::Mat deep;
  quadrants(48, 32).convertTo(deep, CV_16U, 257);
  const Bytes plain = encode(deep, ".tif");
  expectOriented([&](int orientation) { return withOrientation(plain, orientation); });
}

TEST(LoadImage, AppliesTheOrientationOfPngsExifChunk) {
  const Bytes plain = encode(quadrants(48, 32), ".png");
  constexpr std::size_t kBehindHeader = 33;
  expectOriented([&](int orientation) {
    Bytes chunk = {
        0, 0, 0, 26, 'e', 'X', 'I', 'f', 'M', 'M', 0, 42, 0, 0,
        0, 8, 0, 1,  1,   18,  0,   3,   0,   0,   0, 1,  0, static_cast<std::uint8_t>(orientation),
        0, 0, 0, 0,  0,   0};
    chunk.resize(chunk.size() + 4);  // a wrong checksum, as nobody looks at it
    Bytes bytes = plain;
    bytes.insert(bytes.begin() + kBehindHeader, chunk.begin(), chunk.end());
    return bytes;
  });
}

TEST(LoadImage, CmykIsConvertedAsPillowDoes) {
  for (const char* name : {"cmyk-adobe", "cmyk-plain"}) {
    SCOPED_TRACE(name);
    const auto path = preprocessingData() / "more" / name;
    const auto found =
        difference(loadImage(path.string() + ".jpg"), loadImage(path.string() + ".png"));
    EXPECT_LE(found.mean, 0.5);
    EXPECT_LE(found.largest, 2);
  }
}

TEST(LoadImage, EveryFormatUnderAnyName) {
  const test::TemporaryFolder folder;
  const Image pattern = test::pattern(13, 9);
  cv::Mat bgr(9, 13, CV_8UC3);
  for (int y = 0; y < 9; ++y) {
    for (int x = 0; x < 13; ++x) {
      const Color color = colorAt(pattern, x, y);
      bgr.at<cv::Vec3b>(y, x) =
          cv::Vec3b(static_cast<std::uint8_t>(color[2]), static_cast<std::uint8_t>(color[1]),
                    static_cast<std::uint8_t>(color[0]));
    }
  }
  for (const char* extension : {".png", ".tif", ".bmp", ".ppm", ".webp"}) {
    SCOPED_TRACE(extension);
    std::vector<int> options;
    if (std::string(extension) == ".webp") options = {cv::IMWRITE_WEBP_QUALITY, 101};
    test::writeBytes(folder.path() / "mislabelled.jpg", encode(bgr, extension, options));
    EXPECT_EQ(difference(loadImage(folder.path() / "mislabelled.jpg"), pattern).largest, 0);
  }
}

TEST(LoadImage, AlphaIsLaidOverWhite) {
  const cv::Mat bgra = (cv::Mat_<cv::Vec4b>(1, 3) << cv::Vec4b(0, 0, 255, 255),
                        cv::Vec4b(0, 0, 255, 0), cv::Vec4b(0, 100, 200, 128));
  for (const char* extension : {".png", ".tif"}) {
    SCOPED_TRACE(extension);
    const Image image = decodeImage(encode(bgra, extension), "alpha");
    EXPECT_EQ(colorAt(image, 0, 0), (Color{255, 0, 0}));
    EXPECT_EQ(colorAt(image, 1, 0), (Color{255, 255, 255}));
    EXPECT_EQ(colorAt(image, 2, 0), (Color{227, 177, 127}));
  }
}

TEST(LoadImage, TiffThatDeclaresItsAlphaStraight) {
  // Four fields of colour, alpha 128 all over.
  const Image image = loadImage(preprocessingData() / "more" / "straight-alpha.tif");
  EXPECT_EQ(colorAt(image, 0, 0), (Color{255, 127, 127}));
  EXPECT_EQ(colorAt(image, 7, 5), (Color{227, 227, 132}));
}

TEST(LoadImage, GreyPngWithAlphaAndWithATransparentValue) {
  // 2 x 1, grey 100 at alpha 128 and grey 50 at alpha 255.
  const Bytes greyAlpha = test::readBytes(preprocessingData() / "more" / "grey-alpha.png");
  EXPECT_EQ(colorAt(decodeImage(greyAlpha, "x"), 0, 0), (Color{177, 177, 177}));
  EXPECT_EQ(colorAt(decodeImage(greyAlpha, "x"), 1, 0), (Color{50, 50, 50}));
  // 2 x 1, grey 76 (which the file calls transparent) and grey 150.
  const Bytes key = test::readBytes(preprocessingData() / "more" / "grey-key.png");
  EXPECT_EQ(colorAt(decodeImage(key, "x"), 0, 0), (Color{255, 255, 255}));
  EXPECT_EQ(colorAt(decodeImage(key, "x"), 1, 0), (Color{150, 150, 150}));
}

TEST(LoadImage, SixteenBitsAreDividedBy257AndRounded) {
  const cv::Mat grey = (cv::Mat_<std::uint16_t>(1, 4) << 0, 128, 129, 65535);
  for (const char* extension : {".png", ".tif", ".pgm"}) {
    SCOPED_TRACE(extension);
    const Image image = decodeImage(encode(grey, extension), "deep");
    EXPECT_EQ(image.pixels, (Bytes{0, 0, 0, 0, 0, 0, 1, 1, 1, 255, 255, 255}));
  }
}

TEST(LoadImage, FloatingPointIsClampedToOne) {
  const cv::Mat grey = (cv::Mat_<float>(1, 4) << -1.0F, 0.5F, 1.0F, 7.0F);
  const Image image = decodeImage(encode(grey, ".tif"), "float");
  EXPECT_EQ(image.pixels, (Bytes{0, 0, 0, 128, 128, 128, 255, 255, 255, 255, 255, 255}));
}

TEST(LoadImage, JpegsWithTrailersAndWithoutAnEndMarker) {
  const Image intact = loadImage(test::imagingData() / "jpeg/intact.jpg");
  for (const char* name : {"motion-photo", "mpo-two-jpegs", "no-eoi", "no-eoi-samsung-trailer",
                           "no-eoi-text-trailer", "progressive-no-eoi"}) {
    SCOPED_TRACE(name);
    const auto path = test::imagingData() / "jpeg" / (std::string(name) + ".jpg");
    EXPECT_EQ(difference(loadImage(path), intact).largest, 0);
  }
}

TEST(LoadImage, TiffOfSeparatePlanesFloatsAndTurned) {
  const auto folder = test::imagingData() / "tiff";
  const Image upright = loadImage(folder / "reference.png");
  for (const char* name : {"u8-planar", "u16-chunky", "u16-planar", "f32-planar"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(difference(loadImage(folder / (std::string(name) + ".tif")), upright).largest, 0);
  }
  // Both are stored lying on a side.
  const Image turned = loadImage(folder / "u8-orient6.tif");
  EXPECT_EQ(turned.width, upright.height);
  EXPECT_EQ(difference(loadImage(folder / "u16-orient6.tif"), turned).largest, 0);
}

TEST(LoadImage, TiffsTiledAndOfTwelveBits) {
  const auto folder = preprocessingData() / "more";
  const Image expected = loadImage(folder / "tiled-reference.png");
  for (const char* name : {"tiled16.tif", "tiled16-planar.tif", "bits12.tif", "big16.tif"}) {
    SCOPED_TRACE(name);
    EXPECT_LE(difference(loadImage(folder / name), expected).largest, 0);
  }
}

/// Little-endian, of one grey pixel a directory; `kinds`: their NewSubfileType.
Bytes tiffOf(const std::vector<std::uint8_t>& kinds) {
  Bytes bytes = bytesOf(std::string("II*\0\x08\0\0\0", 8));
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const std::array<std::array<int, 3>, 8> entries{{{254, 4, kinds[i]},
                                                     {256, 3, 1},
                                                     {257, 3, 1},
                                                     {258, 3, 8},
                                                     {262, 3, 1},
                                                     {273, 4, 4},  // its pixel: any byte
                                                     {278, 3, 1},
                                                     {279, 4, 1}}};
    const auto number = [&](std::size_t value, int count) {
      for (int k = 0; k < count; ++k) bytes.push_back(static_cast<std::uint8_t>(value >> 8 * k));
    };
    number(entries.size(), 2);
    for (const auto& [tag, type, value] : entries) {
      number(static_cast<std::size_t>(tag), 2);
      number(static_cast<std::size_t>(type), 2);
      number(1, 4);
      number(static_cast<std::size_t>(value), 4);
    }
    number(i + 1 < kinds.size() ? bytes.size() + 4 : 0, 4);
  }
  return bytes;
}

TEST(LoadImage, FilesOfSeveralPicturesSaySo) {
  constexpr const char* kPages = "holds several pages, of which the first is read";
  EXPECT_EQ(decodeImage(tiffOf({0}), "x").note, "");
  EXPECT_EQ(decodeImage(tiffOf({2, 2}), "x").note, kPages);
  EXPECT_EQ(decodeImage(tiffOf({0, 1, 1, 4}), "x").note, "") << "smaller copies and a mask";
  EXPECT_EQ(decodeImage(tiffOf({0, 1, 0}), "x").note, kPages);
  EXPECT_EQ(decodeImage(withOrientation(tiffOf({0, 0}), 6), "x").note, kPages);
  Bytes torn = tiffOf({0, 0});
  torn.resize(torn.size() - 10);
  EXPECT_EQ(decodeImage(torn, "x").note, "") << "a second page that cannot be read is none";

  const Bytes still = encode(quadrants(8, 8), ".png");
  EXPECT_EQ(decodeImage(still, "x").note, "");
  constexpr std::size_t kAfterHeader = 33;
  for (const std::uint8_t frames : {1, 12}) {
    Bytes animated = still;
    const Bytes chunk = {0, 0, 0, 8, 'a', 'c', 'T', 'L', 0, 0, 0, frames, 0, 0, 0, 0, 0, 0, 0, 0};
    animated.insert(animated.begin() + kAfterHeader, chunk.begin(), chunk.end());
    const Image image = decodeImage(animated, "x");
    EXPECT_EQ(image.note,
              frames == 1 ? "" : "is an animation of 12 pictures, of which the first is read");
    EXPECT_EQ(fields(image), "ABCD");
  }
}

TEST(LoadImage, PortableMapsOfEveryKind) {
  EXPECT_EQ(decodeImage(bytesOf("P1\n# comment\n2 1\n10"), "x").pixels,
            (Bytes{0, 0, 0, 255, 255, 255}));
  EXPECT_EQ(decodeImage(bytesOf("P4 2 1\n\x80"), "x").pixels, (Bytes{0, 0, 0, 255, 255, 255}));
  EXPECT_EQ(decodeImage(bytesOf("P2 2 1 100 50 100"), "x").pixels,
            (Bytes{128, 128, 128, 255, 255, 255}));
  EXPECT_EQ(decodeImage(bytesOf("P3 1 1 255 1 2 3\n"), "x").pixels, (Bytes{1, 2, 3}));
  EXPECT_THAT(test::errorMessage([] { decodeImage(bytesOf("P3 1 1 255 1 2 300\n"), "x"); }),
              testing::HasSubstr("a sample is 300, the largest is 255"));
  EXPECT_EQ(decodeImage(bytesOf("P6\r\n1 1\r\n255\r\nabc"), "x").pixels, (Bytes{'a', 'b', 'c'}))
      << "a header of Windows' lines";
  EXPECT_EQ(decodeImage(bytesOf("P6 1 1 255\r\nab"), "x").pixels, (Bytes{'\n', 'a', 'b'}));
  EXPECT_EQ(decodeImage(bytesOf("P5 1 1 511 \x01\xFF"), "x").pixels.size(), 3U);
  EXPECT_EQ(decodeImage(bytesOf("P6 1 1 255\nabc"), "x").pixels, (Bytes{'a', 'b', 'c'}));
}

TEST(LoadImage, OnePixelAndAVeryLongStrip) {
  const Image dot = decodeImage(encode(cv::Mat(1, 1, CV_8UC3, cv::Scalar(3, 2, 1)), ".png"), "dot");
  EXPECT_EQ(dot.pixels, (Bytes{1, 2, 3}));
  for (const char* extension : {".png", ".jpg", ".tif"}) {
    const Bytes bytes = encode(cv::Mat(10, 30'000, CV_8UC1, cv::Scalar(77)), extension);
    const Image strip = decodeImage(bytes, "strip");
    EXPECT_EQ(strip.width, 30'000);
    EXPECT_EQ(strip.height, 10);
    EXPECT_EQ(colorAt(strip, 29'999, 9), (Color{77, 77, 77}));
  }
}

}  // namespace
}  // namespace adamerge
