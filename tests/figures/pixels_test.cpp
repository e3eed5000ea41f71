// SPDX-License-Identifier: GPL-3.0-or-later
// Marks written directly are those that Cairo draws one by one.
#include "figures/pixels.h"

#include <cairo-svg.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "pixel_surface.h"

namespace adamerge {
namespace {

using test::PixelSurface;

constexpr int kSide = 90;
constexpr Color kColor = rgb(0xD55E00, 0.85);

void setSource(cairo_t* context) {
  cairo_set_source_rgba(context, kColor.red, kColor.green, kColor.blue, kColor.alpha);
}

/// Units of 1.7 pixels that begin between two.
void inUnits(cairo_t* context) {
  cairo_translate(context, 3.3, -2.6);
  cairo_scale(context, 1.7, 1.7);
}

/// Inside, across every edge, thinner than a pixel, outside.
std::vector<Box> boxes() {
  return {{4, 5, 9, 0.4},  {20, 7.3, 11.2, 14.9}, {-9, 12, 12, 3},  {44, 30, 30, 5},
          {12, -5, 4, 12}, {30, 48, 3, 30},       {80, 80, 5, 5},   {6, 40, 0.2, 0.2},
          {2, 20, 3, 3},   {5, 20, 3, 3},         {15, 44.1, 9, 2}, {40, 2, 1, 1}};
}

std::vector<Point> places() {
  std::vector<Point> places;
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 6; ++j) places.push_back({9.13 * i - 1, 9.37 * j});
  }
  return places;
}

void ring(cairo_t* context, double x, double y) {
  cairo_set_line_width(context, 1.1);
  cairo_new_sub_path(context);
  cairo_arc(context, x, y, 3, 0, 2 * std::numbers::pi);
  cairo_stroke(context);
}

/// Largest and mean difference of a channel.
std::pair<int, double> apart(const PixelSurface& a, const PixelSurface& b) {
  int most = 0;
  double sum = 0;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      for (std::size_t i = 0; i < 3; ++i) {
        const int difference = std::abs(a.at(x, y)[i] - b.at(x, y)[i]);
        most = std::max(most, difference);
        sum += difference;
      }
      const int alpha = std::abs(a.alphaAt(x, y) - b.alphaAt(x, y));
      most = std::max(most, alpha);
    }
  }
  return {most, sum / (3.0 * kSide * kSide)};
}

class PixelsOnBoth : public testing::TestWithParam<bool> {
 protected:
  PixelSurface surface(const std::function<void(cairo_t*)>& draw) const {
    return PixelSurface(kSide, kSide, draw, 120, GetParam());
  }
};

TEST_P(PixelsOnBoth, BoxesAreThoseOfCairo) {
  const PixelSurface expected = surface([](cairo_t* context) {
    inUnits(context);
    setSource(context);
    for (const Box& box : boxes()) {
      cairo_rectangle(context, box.x, box.y, box.width, box.height);
      cairo_fill(context);
    }
  });
  const PixelSurface drawn = surface([](cairo_t* context) {
    inUnits(context);
    Pixels::of(context)->fill(boxes(), kColor);
  });
  EXPECT_LE(apart(expected, drawn).first, 3);
  const PixelSurface nothing = surface([](cairo_t*) {});
  EXPECT_GT(apart(expected, nothing).second, 3);
}

TEST_P(PixelsOnBoth, StampsAreThoseOfCairoToAFractionOfAPixel) {
  const PixelSurface expected = surface([](cairo_t* context) {
    inUnits(context);
    setSource(context);
    for (const Point& place : places()) ring(context, place.x, place.y);
  });
  const PixelSurface drawn = surface([](cairo_t* context) {
    inUnits(context);
    Pixels::of(context)->stamp(places(), {-4, -4, 8, 8}, kColor,
                               [](cairo_t* one) { ring(one, 0, 0); });
  });
  // An eighth of a pixel, in both directions, of at most 217 levels.
  EXPECT_LE(apart(expected, drawn).first, 48);
  EXPECT_LT(apart(expected, drawn).second, 2);
  const PixelSurface nothing = surface([](cairo_t*) {});
  EXPECT_GT(apart(expected, nothing).second, 8);
}

TEST_P(PixelsOnBoth, StampsAtQuartersOfPixelsAreThoseOfCairo) {
  std::vector<Point> quarters;
  for (int i = 0; i < 16; ++i) quarters.push_back({10 + 20 * (i % 4) + i / 4 * 0.25, 8 + 5.25 * i});
  const PixelSurface expected = surface([&](cairo_t* context) {
    setSource(context);
    for (const Point& place : quarters) ring(context, place.x, place.y);
  });
  const PixelSurface drawn = surface([&](cairo_t* context) {
    Pixels::of(context)->stamp(quarters, {-4, -4, 8, 8}, kColor,
                               [](cairo_t* one) { ring(one, 0, 0); });
  });
  EXPECT_LE(apart(expected, drawn).first, 3);
}

TEST_P(PixelsOnBoth, AreDrawnOnWithinTheClipAlone) {
  const auto draw = [](cairo_t* context) {
    inUnits(context);
    Pixels::of(context)->fill(boxes(), kColor);
    Pixels::of(context)->stamp(places(), {-4, -4, 8, 8}, kColor,
                               [](cairo_t* one) { ring(one, 0, 0); });
  };
  const PixelSurface whole = surface(draw);
  const PixelSurface cut = surface([&](cairo_t* context) {
    cairo_rectangle(context, 20, 30, 31, 22);
    cairo_clip(context);
    draw(context);
  });
  const PixelSurface nothing = surface([](cairo_t*) {});
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const bool inside = x >= 20 && x < 51 && y >= 30 && y < 52;
      ASSERT_EQ(cut.at(x, y), (inside ? whole : nothing).at(x, y)) << x << ", " << y;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OpaqueAndTransparent, PixelsOnBoth, testing::Bool());

TEST(Pixels, AreWrittenDirectlyOnlyWhereTheyAreStraight) {
  const auto usable = [](const std::function<void(cairo_t*)>& prepare) {
    bool found = false;
    PixelSurface(8, 8, [&](cairo_t* context) {
      prepare(context);
      found = Pixels::of(context).has_value();
    });
    return found;
  };
  EXPECT_TRUE(usable([](cairo_t*) {}));
  EXPECT_FALSE(usable([](cairo_t* context) { cairo_rotate(context, 0.1); }));
  EXPECT_FALSE(usable([](cairo_t* context) { cairo_scale(context, -1, 1); }));
  EXPECT_FALSE(usable([](cairo_t* context) {
    cairo_rectangle(context, 0.5, 0.5, 3, 3);
    cairo_clip(context);
  }));
  const auto write = [](void*, const unsigned char*, unsigned) { return CAIRO_STATUS_SUCCESS; };
  const Handle<cairo_surface_t> paper(
      cairo_svg_surface_create_for_stream(write, nullptr, 100, 100));
  const Handle<cairo_t> context(cairo_create(paper.get()));
  EXPECT_FALSE(Pixels::of(context.get()));
}

}  // namespace
}  // namespace adamerge
