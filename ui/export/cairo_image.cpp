// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/cairo_image.h"

#include <cairo.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "adamerge/error.h"

namespace adamerge::ui {
namespace {

constexpr double kMmPerInch = 25.4;
constexpr double kPointsPerInch = 72;

struct Release {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};

}  // namespace

int pixelsOf(double mm, double dpi) {
  return std::max(1, static_cast<int>(std::lround(mm / kMmPerInch * dpi)));
}

QImage drawToImage(const QSizeF& size_mm, double dpi, const std::function<void(cairo_t*)>& draw) {
  const int width = pixelsOf(size_mm.width(), dpi);
  const int height = pixelsOf(size_mm.height(), dpi);
  QImage image(width, height, QImage::Format_ARGB32_Premultiplied);
  if (image.isNull()) {
    throw Error(fmt::format("there is no memory for a picture of {} x {} pixels", width, height));
  }
  image.fill(Qt::transparent);
  const std::unique_ptr<cairo_surface_t, Release> surface(cairo_image_surface_create_for_data(
      image.bits(), CAIRO_FORMAT_ARGB32, width, height, static_cast<int>(image.bytesPerLine())));
  const std::unique_ptr<cairo_t, Release> context(cairo_create(surface.get()));
  cairo_scale(context.get(), dpi / kPointsPerInch, dpi / kPointsPerInch);
  draw(context.get());
  cairo_surface_flush(surface.get());
  return image;
}

}  // namespace adamerge::ui
