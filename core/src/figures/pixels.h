// SPDX-License-Identifier: GPL-3.0-or-later
// The pixels that a context of Cairo's draws, written directly: of thousands of small shapes Cairo
// takes some ten microseconds for each, and a fine grid has that many.
#pragma once

#include <cairo.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "figures/canvas.h"

namespace adamerge {

class Pixels {
 public:
  /// nullopt: what it draws are no pixels of 32 bits, or turned, or cut off otherwise than at a
  /// rectangle of whole pixels.
  static std::optional<Pixels> of(cairo_t* context);

  /// In the context's units, one after the other: a translucent colour shows where they overlap.
  void fill(std::span<const Box> boxes, const Color& color);
  /// What `draw` draws opaquely within `extent`, at each of `places` in its origin's stead, to a
  /// quarter of a pixel.
  void stamp(std::span<const Point> places, const Box& extent, const Color& color,
             const std::function<void(cairo_t*)>& draw);

 private:
  explicit Pixels(cairo_surface_t* target) : target_(target) {}
  std::uint32_t* row(int y) const { return first_ + static_cast<std::ptrdiff_t>(y) * stride_; }

  cairo_surface_t* target_;
  std::uint32_t* first_ = nullptr;
  std::ptrdiff_t stride_ = 0;  ///< in pixels
  double scale_x_ = 1;         ///< pixels = origin + scale * units
  double scale_y_ = 1;
  double origin_x_ = 0;
  double origin_y_ = 0;
  int left_ = 0;  ///< of the pixels that may be drawn on
  int top_ = 0;
  int right_ = 0;
  int bottom_ = 0;
};

}  // namespace adamerge
