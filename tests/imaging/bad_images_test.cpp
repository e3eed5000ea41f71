// SPDX-License-Identifier: GPL-3.0-or-later
// Every way in which an image file may be unusable, and what the user is told.
#include <gmock/gmock.h>
#include <zlib.h>

#include <ctime>
#include <iostream>
#include <limits>
#include <opencv2/core.hpp>

#include "pictures.h"
#include "temporary_folder.h"
#include "unprivileged.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using test::Bytes;
using test::bytesOf;
using test::encode;
using test::messageOf;
using test::pattern;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

cv::Mat noise(int width, int height) {
  static Image image;
  image = pattern(width, height);
  return cv::Mat(height, width, CV_8UC3, image.pixels.data()).clone();
}

/// With right checksums.
Bytes pngOfRows(std::uint32_t width, std::uint32_t height, const Bytes& compressed) {
  Bytes png = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  const auto number = [](Bytes& to, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      to.push_back(static_cast<std::uint8_t>(value >> static_cast<unsigned>(shift)));
    }
  };
  const auto chunk = [&](const char* type, const Bytes& data) {
    number(png, static_cast<std::uint32_t>(data.size()));
    Bytes body = bytesOf(type);
    body.insert(body.end(), data.begin(), data.end());
    png.insert(png.end(), body.begin(), body.end());
    number(png, static_cast<std::uint32_t>(crc32(0, body.data(), static_cast<uInt>(body.size()))));
  };
  Bytes header;
  number(header, width);
  number(header, height);
  header.insert(header.end(), {8, 2, 0, 0, 0});
  chunk("IHDR", header);
  chunk("IDAT", compressed);
  chunk("IEND", {});
  return png;
}

std::string decodeMessage(const Bytes& bytes) {
  testing::internal::CaptureStderr();
  const std::string message = messageOf([&] { decodeImage(bytes, "holiday.jpg"); });
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "")
      << "libraries must not write to the terminal";
  EXPECT_THAT(message, StartsWith("holiday.jpg: "));
  return message;
}

std::string loadMessage(const fs::path& path) {
  return messageOf([&] { loadImage(path); });
}

TEST(BadImages, MissingFolderAndSpecialFile) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(loadMessage(folder.path() / "missing.png"),
              AllOf(HasSubstr("missing.png: there is no such file"), HasSubstr("image expected")));
  EXPECT_THAT(loadMessage(folder.path()), HasSubstr("this is a folder; an image file expected"));
  EXPECT_THAT(loadMessage("/dev/null"), HasSubstr("/dev/null: not a regular file"));
}

TEST(BadImages, NoPermission) {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "closed.png";
  test::writeBytes(path, encode(noise(4, 4), ".png"));
  fs::permissions(path, fs::perms::none);
  fs::permissions(folder.path(), fs::perms::all);
  const std::string message = [&] {
    const test::Unprivileged nobody;
    return loadMessage(path);
  }();
  EXPECT_THAT(message, HasSubstr("closed.png: cannot be read: Permission denied"));
}

TEST(BadImages, EmptyAndNoImageAtAll) {
  EXPECT_THAT(decodeMessage({}), HasSubstr("the file is empty"));
  for (const Bytes& bytes : {bytesOf("These are my notes.\n"), bytesOf("P"), bytesOf("Perl 5.36"),
                             bytesOf("{\"a\": \"<svg\"}"), Bytes{0xFF, 0xD8}, Bytes(64, 0)}) {
    EXPECT_THAT(decodeMessage(bytes),
                HasSubstr("this is not an image; JPEG, PNG, WebP, TIFF, BMP or PPM is expected"));
  }
}

TEST(BadImages, FormatsThatAreNotSupportedAreNamed) {
  const std::string box(4, '\0');
  const std::vector<std::pair<std::string, std::string>> files = {
      {"GIF89a....", "GIF files are not supported; JPEG, PNG"},
      {box + "ftypheic" + box + "mif1heic", "HEIC files"},
      {box + "ftypavif" + box + "avifmif1", "AVIF files"},
      {box + "ftypmif1" + box + "mif1avif", "AVIF files"},
      {box + "ftypisom", "video files"},
      {"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "SVG files"},
      {"\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- drawn --><svg>", "SVG files"},
      {"%PDF-1.7", "PDF files"}};
  for (const auto& [content, expected] : files) {
    EXPECT_THAT(decodeMessage(bytesOf(content)), HasSubstr(expected));
  }
}

TEST(BadImages, TruncatedAnywhere) {
  const std::vector<std::pair<const char*, const char*>> formats = {
      {".jpg", "JPEG"}, {".png", "PNG"}, {".webp", "WebP"},
      {".tif", "TIFF"}, {".bmp", "BMP"}, {".ppm", "PPM"}};
  for (const auto& [extension, name] : formats) {
    SCOPED_TRACE(name);
    const Bytes whole = encode(noise(100, 80), extension);
    ASSERT_EQ(messageOf([&] { decodeImage(whole, "whole"); }), "");
    for (const double share : {0.3, 0.6, 0.95}) {
      Bytes some = whole;
      some.resize(static_cast<std::size_t>(static_cast<double>(whole.size()) * share));
      const std::string message = decodeMessage(some);
      EXPECT_THAT(message, AllOf(HasSubstr(name), HasSubstr("is truncated")));
    }
  }
}

TEST(BadImages, JpegWithoutItsLastPixelsIsTruncatedButZerosBehindItAreFine) {
  Bytes bytes = encode(noise(100, 80), ".jpg");
  Bytes padded = bytes;
  padded.resize(padded.size() + 512);
  EXPECT_EQ(messageOf([&] { decodeImage(padded, "padded"); }), "");
  // The end marker alone may be missing: every pixel is there.
  bytes.resize(bytes.size() - 2);
  EXPECT_EQ(messageOf([&] { decodeImage(bytes, "unended"); }), "");
  bytes.resize(bytes.size() - 8);
  EXPECT_THAT(decodeMessage(bytes), HasSubstr("the JPEG file is truncated"));
  EXPECT_THAT(loadMessage(test::imagingData() / "jpeg/progressive-minus-9.jpg"),
              HasSubstr("the JPEG file is truncated"));
  // Half of it, then zeros: an interrupted download into a file of the full length.
  std::fill(padded.begin() + static_cast<std::ptrdiff_t>(padded.size() / 2), padded.end(), 0);
  EXPECT_THAT(decodeMessage(padded), HasSubstr("the JPEG file"));
}

TEST(BadImages, TruncatedHeaders) {
  for (const char* extension : {".jpg", ".png", ".webp", ".tif", ".bmp", ".ppm"}) {
    SCOPED_TRACE(extension);
    const Bytes whole = encode(noise(100, 80), extension);
    for (const std::size_t length : {12U, 20U, 40U}) {
      const Bytes some(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      const std::string message = messageOf([&] { decodeImage(some, "cut"); });
      EXPECT_THAT(message, StartsWith("cut: "));
    }
  }
}

TEST(BadImages, DamagedPngNamesTheDamage) {
  Bytes bytes = encode(noise(100, 80), ".png");
  bytes[bytes.size() / 2] ^= 0xFFU;
  EXPECT_THAT(decodeMessage(bytes),
              HasSubstr("the PNG file is damaged (wrong checksum of its IDAT chunk)"));
}

TEST(BadImages, KindsThatNobodyReadsAreNotCalledDamaged) {
  EXPECT_THAT(loadMessage(test::imagingData() / "jpeg/precision12.jpg"),
              HasSubstr("JPEG with 12 bits per colour is not supported; one with 8 bits"));
  EXPECT_THAT(loadMessage(test::imagingData() / "jpeg/lossless-sof3.jpg"),
              HasSubstr("lossless, hierarchical or arithmetic-coded JPEG is not supported"));
  EXPECT_THAT(loadMessage(test::imagingData() / "ios-cgbi.png"),
              HasSubstr("CgBI, made for iOS programs) is not supported; an ordinary PNG"));
}

TEST(BadImages, AFewBytesOfEachFormat) {
  for (const std::string& start : {std::string("RIFF"), std::string("RIFF\x40\0\0\0WEB", 11),
                                   std::string("II*\0", 4), std::string("BM"), std::string("P6 "),
                                   std::string("\xFF\xD8\xFF"), std::string("\x89PNG\r\n\x1A\n")}) {
    EXPECT_THAT(messageOf([&] { decodeImage(bytesOf(start), "few"); }), StartsWith("few: "));
  }
}

TEST(BadImages, SmallFilesWithHugeClaimsAreRefusedAtOnce) {
  const std::clock_t start = std::clock();
  const auto folder = test::imagingData() / "small-file-huge-claim";
  EXPECT_THAT(loadMessage(folder / "30000-big.tif"),
              HasSubstr("30000 x 30000 pixels; at most 300"));
  EXPECT_THAT(loadMessage(folder / "17000-f32.tif"), HasSubstr("takes 4.3 GB to decode; at most"));
  EXPECT_THAT(loadMessage(folder / "rle-17000.bmp"), HasSubstr("rle-17000.bmp: "));
  EXPECT_THAT(loadMessage(folder / "scans-200.jpg"), HasSubstr("scans-200.jpg: "));
  // 256 million pixels cannot come out of a few bytes of deflate.
  const Bytes png = pngOfRows(16'000, 16'000, Bytes(100, 0));
  EXPECT_THAT(messageOf([&] { decodeImage(png, "bomb"); }), HasSubstr("the PNG file is truncated"));
  EXPECT_LT(std::clock() - start, 2 * CLOCKS_PER_SEC);
}

TEST(BadImages, ALibraryThatSniffsForItselfDoesNotHang) {
  EXPECT_THAT(loadMessage(test::imagingData() / "bmff-in-tiff.tif"), HasSubstr("the TIFF file"));
}

TEST(BadImages, FloatsOfAnotherRange) {
  EXPECT_THAT(loadMessage(test::imagingData() / "tiff/f32-0to255.tif"),
              HasSubstr("values are above 1; 0 for black to 1 for white is expected"));
}

TEST(BadImages, TooManyPixelsAreRefusedBeforeTheyAreDecoded) {
  const Bytes png = {0x89, 'P',  'N', 'G', '\r', '\n', 0x1A, '\n', 0,    0,    0,
                     13,   'I',  'H', 'D', 'R',  0,    0,    0xEA, 0x60, 0,    0,
                     0xEA, 0x60, 8,   2,   0,    0,    0,    0x0F, 0xB0, 0xE2, 0x15};
  Bytes withEnd = png;
  withEnd.resize(png.size() + 12);
  EXPECT_THAT(decodeMessage(bytesOf("P6 60000 60000 255\n")),
              HasSubstr("the image is 60000 x 60000 pixels; at most 300 million"));
  EXPECT_THAT(messageOf([&] { decodeImage(withEnd, "bomb"); }), HasSubstr("60000 x 60000 pixels"));

  Bytes jpeg = encode(noise(16, 16), ".jpg");
  const Bytes frame = {0xFF, 0xC0, 0, 17, 8};
  const auto size = std::search(jpeg.begin(), jpeg.end(), frame.begin(), frame.end()) + 5;
  std::fill(size, size + 4, 0xF0);
  EXPECT_THAT(messageOf([&] { decodeImage(jpeg, "bomb"); }), HasSubstr("61680 x 61680 pixels"));

  Bytes bmp = encode(noise(16, 16), ".bmp");
  bmp[20] = bmp[24] = 1;  // 65,552 x 65,552
  EXPECT_THAT(messageOf([&] { decodeImage(bmp, "bomb"); }), HasSubstr("65552 x 65552 pixels"));

  Bytes tiff = encode(noise(16, 16), ".tif");
  const Bytes width = {0, 1, 3, 0, 1, 0, 0, 0, 16, 0};
  const Bytes height = {1, 1, 3, 0, 1, 0, 0, 0, 16, 0};
  for (const Bytes& tag : {width, height}) {
    const auto at = std::search(tiff.begin(), tiff.end(), tag.begin(), tag.end());
    ASSERT_NE(at, tiff.end());
    std::fill(at + 8, at + 10, 0xF0);
  }
  EXPECT_THAT(messageOf([&] { decodeImage(tiff, "bomb"); }), HasSubstr("61680 x 61680 pixels"));
}

TEST(BadImages, NotANumber) {
  const cv::Mat grey = (cv::Mat_<float>(1, 2) << 0.5F, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(messageOf([&] { decodeImage(encode(grey, ".tif"), "depth.tif"); }),
              AllOf(StartsWith("depth.tif: "), HasSubstr("not a number (NaN)")));
}

TEST(BadImages, AnimatedWebp) {
  const std::string chunk("VP8X\x0A\0\0\0\x02\0\0\0\x3F\0\0\x3F\0\0", 18);
  EXPECT_THAT(decodeMessage(bytesOf(std::string("RIFF\x16\0\0\0WEBP", 12) + chunk)),
              HasSubstr("animated WebP is not supported"));
}

TEST(BadImages, WebpIsLibwebpsAlone) {
  // What libwebp refuses, OpenCV offers to its next decoders: this would be DICOM.
  Bytes bytes = bytesOf(std::string("RIFF\xA4\0\0\0WEBPVP8 ", 16));
  bytes.resize(128);
  const Bytes dicom = bytesOf(std::string("DICM\x02\0\0\0UN\0\0\xC0\0\0\0", 16));
  bytes.insert(bytes.end(), dicom.begin(), dicom.end());
  bytes.resize(172);
  EXPECT_THAT(decodeMessage(bytes),
              HasSubstr("the WebP file is damaged (its header cannot be read)"));
}

TEST(BadImages, WebpThatTakesTooMuch) {
  // 16,384 x 16,384 in 30 bytes.
  EXPECT_THAT(
      decodeMessage(bytesOf(std::string("RIFF\x16\0\0\0WEBPVP8L\x0A\0\0\0/\xFF\xFF\xFF\x0F", 25) +
                            std::string(5, '\0'))),
      HasSubstr("16384 x 16384 pixels and takes 2.2 GB to decode; at most 2 GB are taken"));
}

TEST(BadImages, IntegersOf32Bits) {
  const cv::Mat grey(2, 2, CV_32SC1, cv::Scalar(5));
  EXPECT_THAT(messageOf([&] { decodeImage(encode(grey, ".tif"), "labels.tif"); }),
              AllOf(StartsWith("labels.tif: "), HasSubstr("8-bit, 16-bit or floating-point")));
}

TEST(BadImage, OpenCvSaysNothingOnTheTerminal) {
  Bytes bmp = bytesOf("BM");
  bmp.resize(54 + 1024);
  bmp[10] = 0x36, bmp[11] = 4, bmp[14] = 40, bmp[18] = 4, bmp[22] = 2, bmp[26] = 1, bmp[28] = 8;
  bmp[30] = 1;
  bmp.insert(bmp.end(), {4, 1, 0, 0, 4});  // run lengths that break off
  testing::internal::CaptureStderr();
  EXPECT_THAT(messageOf([&] { decodeImage(bmp, "a.bmp"); }), StartsWith("a.bmp: the BMP file"));
  std::cerr << "others may speak";
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "others may speak");
}

}  // namespace
}  // namespace adamerge
