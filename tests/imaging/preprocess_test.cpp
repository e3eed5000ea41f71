// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "adamerge/image.h"
#include "pictures.h"

namespace adamerge {
namespace {

using nlohmann::json;
using test::Color;
using test::colorAt;
using test::Difference;
using test::preprocessingData;

json readCases(const std::filesystem::path& path) {
  std::ifstream file(path);
  return json::parse(file);
}

Interpolation interpolationOf(const std::string& name) {
  if (name == "nearest") return Interpolation::kNearest;
  if (name == "bilinear") return Interpolation::kBilinear;
  return name == "lanczos" ? Interpolation::kLanczos : Interpolation::kBicubic;
}

Preprocessing square(int resize, int crop) {
  Preprocessing settings;
  settings.resize_height = settings.resize_width = resize;
  settings.crop_height = settings.crop_width = crop;
  return settings;
}

void expectRectangle(const Rectangle& actual, double x, double y, double width, double height) {
  EXPECT_NEAR(actual.x, x, 1e-9);
  EXPECT_NEAR(actual.y, y, 1e-9);
  EXPECT_NEAR(actual.width, width, 1e-9);
  EXPECT_NEAR(actual.height, height, 1e-9);
}

TEST(Preprocess, AgreesWithTheReferenceCases) {
  const json cases = readCases(preprocessingData() / "cases.json");
  ASSERT_EQ(cases.size(), 24U);
  for (const auto& [name, settings] : cases.items()) {
    SCOPED_TRACE(name);
    const int size = settings["input_size"];
    const int resize = static_cast<int>(std::floor(size / settings["crop_pct"].get<double>()));
    Preprocessing preprocessing = square(resize, size);
    preprocessing.interpolation = interpolationOf(settings["interpolation"]);
    if (settings["crop_mode"] == "squash") preprocessing.resize = Preprocessing::Resize::kExact;
    const std::string input = settings["input"];
    const Image image = loadImage(preprocessingData() / "inputs" / input);
    const Difference found = test::difference(prepareImage(image, preprocessing).view,
                                              loadImage(preprocessingData() / "expected" / name));
    EXPECT_LE(found.mean, 0.5);
    EXPECT_LE(found.largest, 3);
    if (input.ends_with(".png")) {
      EXPECT_EQ(found.largest, 0);
    }
  }
}

TEST(Preprocess, AgreesWithPillowForFiltersBordersAndRectangles) {
  const json cases = readCases(preprocessingData() / "more" / "cases.json");
  for (const auto& [name, settings] : cases.items()) {
    SCOPED_TRACE(name);
    Preprocessing preprocessing;
    const std::string mode = settings["mode"];
    preprocessing.resize = mode == "exact"    ? Preprocessing::Resize::kExact
                           : mode == "longer" ? Preprocessing::Resize::kLongerSide
                                              : Preprocessing::Resize::kShorterSide;
    preprocessing.resize_height = settings["resize"][0];
    preprocessing.resize_width = settings["resize"][1];
    preprocessing.crop_height = settings["crop"][0];
    preprocessing.crop_width = settings["crop"][1];
    preprocessing.interpolation = interpolationOf(settings["interpolation"]);
    preprocessing.fill = settings["fill"];
    const Image image = loadImage(preprocessingData() / "inputs" / settings["input"]);
    const Image expected = loadImage(preprocessingData() / "more" / name);
    EXPECT_EQ(test::difference(prepareImage(image, preprocessing).view, expected).largest, 0);
  }
}

TEST(Preprocess, NormalisesToPlanesOfRedGreenAndBlue) {
  const Image image{2, 1, {255, 0, 51, 0, 255, 102}};
  Preprocessing settings = square(1, 1);
  settings.resize = Preprocessing::Resize::kExact;
  settings.resize_width = settings.crop_width = 2;
  settings.mean = {0.5F, 0.25F, 0.0F};
  settings.std = {0.5F, 0.25F, 2.0F};
  const PreparedImage prepared = prepareImage(image, settings);
  EXPECT_EQ(prepared.view.pixels, image.pixels);
  EXPECT_EQ(prepared.input.width, 2);
  EXPECT_EQ(prepared.input.height, 1);
  EXPECT_THAT(prepared.input.values,
              testing::Pointwise(testing::FloatEq(), {1.0F, -1.0F, -1.0F, 3.0F, 0.1F, 0.2F}));
}

TEST(Preprocess, CropRectangleIsInPixelsOfTheOriginal) {
  const Image wide = test::pattern(400, 200);
  // 200 x 100 after the resize; the crop's centre 50 x 50 lies at (75, 25).
  expectRectangle(prepareImage(wide, square(100, 50)).crop, 150, 50, 100, 100);

  Preprocessing exact = square(100, 100);
  exact.resize = Preprocessing::Resize::kExact;
  expectRectangle(prepareImage(wide, exact).crop, 0, 0, 400, 200);

  // 100 x 50 and 25 rows of padding on either side.
  Preprocessing border = square(100, 100);
  border.resize = Preprocessing::Resize::kLongerSide;
  expectRectangle(prepareImage(wide, border).crop, 0, -100, 400, 400);

  // 31 x 23 to 75 x 56 (75.48 cut off); (75 - 56) / 2 = 9.5 rounds to the even 10.
  const Image odd = test::pattern(31, 23);
  expectRectangle(prepareImage(odd, square(56, 56)).crop, 10 * 31.0 / 75, 0, 56 * 31.0 / 75, 23);
}

TEST(Preprocess, PadsWithTheFillColor) {
  Preprocessing border = square(64, 64);
  border.resize = Preprocessing::Resize::kLongerSide;
  border.fill = {1, 2, 3};
  const PreparedImage prepared = prepareImage(test::pattern(64, 16), border);
  EXPECT_EQ(colorAt(prepared.view, 0, 0), (Color{1, 2, 3}));
  EXPECT_EQ(colorAt(prepared.view, 63, 63), (Color{1, 2, 3}));
  EXPECT_EQ(colorAt(prepared.view, 5, 23), (Color{1, 2, 3}));
  EXPECT_EQ(colorAt(prepared.view, 5, 24), colorAt(test::pattern(64, 16), 5, 0));
}

TEST(Preprocess, ExtremeShapes) {
  const Image dot{1, 1, {10, 20, 30}};
  const PreparedImage fromDot = prepareImage(dot, square(62, 56));
  EXPECT_EQ(fromDot.view.width, 56);
  EXPECT_EQ(colorAt(fromDot.view, 55, 0), (Color{10, 20, 30}));

  // Resized in full it would be 168,000 x 56.
  const Image strip = test::pattern(30'000, 10);
  const PreparedImage fromStrip = prepareImage(strip, square(56, 56));
  EXPECT_EQ(fromStrip.view.width, 56);
  EXPECT_EQ(fromStrip.view.height, 56);
  expectRectangle(fromStrip.crop, 14'995, 0, 10, 10);

  // The short side would round to nothing.
  Preprocessing border = square(56, 56);
  border.resize = Preprocessing::Resize::kLongerSide;
  EXPECT_EQ(prepareImage(strip, border).view.width, 56);
}

TEST(Preprocess, ShapesThatNoSizeHolds) {
  const Image line = test::pattern(65'535, 1);
  Preprocessing narrow = square(1 << 20, 56);
  EXPECT_THAT(test::messageOf([&] { prepareImage(line, narrow); }),
              testing::HasSubstr("65535 x 1 pixels is too narrow"));
  narrow.resize_width = 1 << 19;  // both kinds of resize
  EXPECT_THAT(test::messageOf([&] { prepareImage(line, narrow); }),
              testing::HasSubstr("65535 x 1 pixels is too narrow"));
  EXPECT_THAT(test::messageOf([&] { prepareImage(line, square(56, 65'536)); }),
              testing::HasSubstr("an input of 65536 x 65536 pixels is too large"));
  // 655,350,000 columns, of which 200 are looked at.
  Preprocessing longest = square(10'000, 200);
  longest.interpolation = Interpolation::kNearest;
  EXPECT_EQ(prepareImage(line, longest).view.width, 200);
}

TEST(Preprocess, EmptyImageIsAnError) {
  EXPECT_THAT(test::messageOf([] { prepareImage({}, square(56, 56)); }),
              testing::HasSubstr("no pixels"));
}

}  // namespace
}  // namespace adamerge
