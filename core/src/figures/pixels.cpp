// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/pixels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

namespace adamerge {
namespace {

constexpr int kPhases = 4;  ///< places of a stamp within a pixel, in each direction

std::uint32_t opaque(const Color& color) {
  const auto byte = [](double part) { return static_cast<std::uint32_t>(std::lround(part * 255)); };
  return 0xFF000000U | byte(color.red) << 16U | byte(color.green) << 8U | byte(color.blue);
}

/// Of 256.
unsigned weightOf(double share) {
  return static_cast<unsigned>(std::lround(std::clamp(share, 0.0, 1.0) * 256));
}

/// `weight` of 256 of a colour over what a pixel has, two channels at a time.
inline void blend(std::uint32_t& pixel, std::uint32_t color, std::uint32_t weight) {
  const auto mixed = [weight](std::uint32_t from, std::uint32_t to) {
    return (to & 0xFF00FFU) * weight + (from & 0xFF00FFU) * (256 - weight) + 0x800080U;
  };
  pixel =
      ((mixed(pixel, color) >> 8U) & 0xFF00FFU) | (mixed(pixel >> 8U, color >> 8U) & 0xFF00FF00U);
}

/// How much of pixel `at` lies between `from` and `to`.
double covered(int at, double from, double to) {
  return std::min(at + 1.0, to) - std::max<double>(at, from);
}

/// What a stamp covers of each pixel, 0 to 255.
struct Stamp {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> coverage;
};

}  // namespace

std::optional<Pixels> Pixels::of(cairo_t* context) {
  cairo_surface_t* target = cairo_get_group_target(context);
  if (cairo_surface_get_type(target) != CAIRO_SURFACE_TYPE_IMAGE) return std::nullopt;
  const cairo_format_t format = cairo_image_surface_get_format(target);
  if (format != CAIRO_FORMAT_RGB24 && format != CAIRO_FORMAT_ARGB32) return std::nullopt;
  cairo_matrix_t matrix;
  cairo_get_matrix(context, &matrix);
  if (matrix.xy != 0 || matrix.yx != 0 || matrix.xx <= 0 || matrix.yy <= 0) return std::nullopt;
  const std::unique_ptr<cairo_rectangle_list_t, decltype(&cairo_rectangle_list_destroy)> clip(
      cairo_copy_clip_rectangle_list(context), cairo_rectangle_list_destroy);
  if (clip->status != CAIRO_STATUS_SUCCESS || clip->num_rectangles > 1) return std::nullopt;

  Pixels pixels(target);
  double scale_x = 1;
  double scale_y = 1;
  cairo_surface_get_device_scale(target, &scale_x, &scale_y);
  cairo_surface_get_device_offset(target, &pixels.origin_x_, &pixels.origin_y_);
  pixels.origin_x_ += matrix.x0 * scale_x;
  pixels.origin_y_ += matrix.y0 * scale_y;
  pixels.scale_x_ = matrix.xx * scale_x;
  pixels.scale_y_ = matrix.yy * scale_y;
  pixels.stride_ = cairo_image_surface_get_stride(target) / 4;
  if (clip->num_rectangles == 1) {
    const cairo_rectangle_t& shown = clip->rectangles[0];
    const auto at = [](double origin, double scale, double place, int most) {
      return std::clamp(static_cast<int>(std::lround(origin + scale * place)), 0, most);
    };
    const int width = cairo_image_surface_get_width(target);
    const int height = cairo_image_surface_get_height(target);
    pixels.left_ = at(pixels.origin_x_, pixels.scale_x_, shown.x, width);
    pixels.right_ = at(pixels.origin_x_, pixels.scale_x_, shown.x + shown.width, width);
    pixels.top_ = at(pixels.origin_y_, pixels.scale_y_, shown.y, height);
    pixels.bottom_ = at(pixels.origin_y_, pixels.scale_y_, shown.y + shown.height, height);
  }
  cairo_surface_flush(target);
  pixels.first_ = reinterpret_cast<std::uint32_t*>(cairo_image_surface_get_data(target));
  return pixels;
}

void Pixels::fill(std::span<const Box> boxes, const Color& color) {
  const std::uint32_t value = opaque(color);
  for (const Box& box : boxes) {
    const double left = std::max<double>(origin_x_ + scale_x_ * box.x, left_);
    const double right = std::min<double>(origin_x_ + scale_x_ * box.right(), right_);
    const double top = std::max<double>(origin_y_ + scale_y_ * box.y, top_);
    const double bottom = std::min<double>(origin_y_ + scale_y_ * box.bottom(), bottom_);
    if (left >= right || top >= bottom) continue;
    const int first = static_cast<int>(left);
    const int end = static_cast<int>(std::ceil(right));
    /// Of the pixel at the left, of those between, of the one at the right.
    const auto weights = [&](double rows) {
      const double share = color.alpha * rows;
      return std::array{weightOf(share * covered(first, left, right)), weightOf(share),
                        weightOf(share * covered(end - 1, left, right))};
    };
    const auto whole = weights(1);
    for (int y = static_cast<int>(top); y < bottom; ++y) {
      const bool part = y < top || y + 1 > bottom;
      const auto [at_left, between, at_right] = part ? weights(covered(y, top, bottom)) : whole;
      std::uint32_t* const pixels = row(y);
      blend(pixels[first], value, at_left);
      for (int x = first + 1; x < end - 1; ++x) blend(pixels[x], value, between);
      if (end - 1 > first) blend(pixels[end - 1], value, at_right);
    }
  }
  cairo_surface_mark_dirty(target_);
}

void Pixels::stamp(std::span<const Point> places, const Box& extent, const Color& color,
                   const std::function<void(cairo_t*)>& draw) {
  const auto drawn = [&](int phase_x, int phase_y) {
    Stamp stamp;
    stamp.width = static_cast<int>(std::ceil(scale_x_ * extent.width)) + 1;
    stamp.height = static_cast<int>(std::ceil(scale_y_ * extent.height)) + 1;
    const Handle<cairo_surface_t> surface(
        cairo_image_surface_create(CAIRO_FORMAT_A8, stamp.width, stamp.height));
    const Handle<cairo_t> context(cairo_create(surface.get()));
    cairo_translate(context.get(), static_cast<double>(phase_x) / kPhases,
                    static_cast<double>(phase_y) / kPhases);
    cairo_scale(context.get(), scale_x_, scale_y_);
    cairo_translate(context.get(), -extent.x, -extent.y);
    cairo_rectangle(context.get(), extent.x, extent.y, extent.width, extent.height);
    cairo_clip(context.get());
    cairo_set_source_rgb(context.get(), 0, 0, 0);
    draw(context.get());
    cairo_surface_flush(surface.get());
    const std::uint8_t* row = cairo_image_surface_get_data(surface.get());
    for (int y = 0; y < stamp.height; ++y, row += cairo_image_surface_get_stride(surface.get())) {
      stamp.coverage.insert(stamp.coverage.end(), row, row + stamp.width);
    }
    return stamp;
  };
  std::array<Stamp, kPhases * kPhases> stamps;
  std::array<unsigned, 256> weights{};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = weightOf(color.alpha * static_cast<double>(i) / 255);
  }
  const std::uint32_t value = opaque(color);
  for (const Point& place : places) {
    const auto quarter_x = std::lround((origin_x_ + scale_x_ * (place.x + extent.x)) * kPhases);
    const auto quarter_y = std::lround((origin_y_ + scale_y_ * (place.y + extent.y)) * kPhases);
    const int x0 = static_cast<int>(std::floor(static_cast<double>(quarter_x) / kPhases));
    const int y0 = static_cast<int>(std::floor(static_cast<double>(quarter_y) / kPhases));
    const int phase_x = static_cast<int>(quarter_x) - x0 * kPhases;
    const int phase_y = static_cast<int>(quarter_y) - y0 * kPhases;
    Stamp& stamp = stamps[static_cast<std::size_t>(phase_y * kPhases + phase_x)];
    if (stamp.coverage.empty()) stamp = drawn(phase_x, phase_y);
    const int from = std::max(0, left_ - x0);
    const int to = std::min(stamp.width, right_ - x0);
    for (int y = std::max(0, top_ - y0); y < std::min(stamp.height, bottom_ - y0); ++y) {
      const std::uint8_t* coverage =
          stamp.coverage.data() + static_cast<std::ptrdiff_t>(y) * stamp.width;
      std::uint32_t* const pixels = row(y0 + y) + x0;
      for (int x = from; x < to; ++x) {
        if (coverage[x] != 0) blend(pixels[x], value, weights[coverage[x]]);
      }
    }
  }
  cairo_surface_mark_dirty(target_);
}

}  // namespace adamerge
