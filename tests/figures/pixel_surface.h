// SPDX-License-Identifier: GPL-3.0-or-later
// Pixels to draw on and to look at.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <functional>

#include "figures/canvas.h"

namespace adamerge::test {

using Pixel = std::array<int, 3>;

inline double distance(const Pixel& a, const Pixel& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

inline Pixel colorOf(const std::array<std::uint8_t, 3>& c) { return {c[0], c[1], c[2]}; }

/// Grey at first, or fully transparent.
class PixelSurface {
 public:
  PixelSurface(int width, int height, const std::function<void(cairo_t*)>& draw, int grey = 255,
               bool transparent = false)
      : surface_(cairo_image_surface_create(transparent ? CAIRO_FORMAT_ARGB32 : CAIRO_FORMAT_RGB24,
                                            width, height)) {
    const Handle<cairo_t> context(cairo_create(surface_.get()));
    cairo_set_source_rgb(context.get(), grey / 255.0, grey / 255.0, grey / 255.0);
    if (!transparent) cairo_paint(context.get());
    draw(context.get());
    EXPECT_EQ(cairo_status(context.get()), CAIRO_STATUS_SUCCESS);
    cairo_surface_flush(surface_.get());
  }

  Pixel at(double x, double y) const {
    const unsigned char* data = pixel(x, y);
    return {data[2], data[1], data[0]};
  }
  int alphaAt(double x, double y) const { return pixel(x, y)[3]; }

  bool operator==(const PixelSurface& other) const {
    const auto size = static_cast<std::size_t>(cairo_image_surface_get_stride(surface_.get())) *
                      static_cast<std::size_t>(cairo_image_surface_get_height(surface_.get()));
    return std::memcmp(cairo_image_surface_get_data(surface_.get()),
                       cairo_image_surface_get_data(other.surface_.get()), size) == 0;
  }

 private:
  const unsigned char* pixel(double x, double y) const {
    return cairo_image_surface_get_data(surface_.get()) +
           static_cast<int>(y) * cairo_image_surface_get_stride(surface_.get()) +
           static_cast<int>(x) * 4;
  }

  Handle<cairo_surface_t> surface_;
};

}  // namespace adamerge::test
