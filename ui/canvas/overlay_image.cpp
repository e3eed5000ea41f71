// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/overlay_image.h"

#include <cairo.h>

#include <memory>

namespace adamerge::ui {

QImage overlayImage(const OverlayInput& input, const OverlayStyle& style, const QSize& picture,
                    const ViewMapping& mapping, const QSize& canvas, double ratio) {
  QImage image((QSizeF(canvas) * ratio).toSize(), QImage::Format_ARGB32_Premultiplied);
  image.fill(Qt::transparent);
  {
    const std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface(
        cairo_image_surface_create_for_data(image.bits(), CAIRO_FORMAT_ARGB32, image.width(),
                                            image.height(), static_cast<int>(image.bytesPerLine())),
        cairo_surface_destroy);
    const std::unique_ptr<cairo_t, decltype(&cairo_destroy)> context(cairo_create(surface.get()),
                                                                     cairo_destroy);
    cairo_scale(context.get(), ratio, ratio);
    cairo_translate(context.get(), mapping.origin.x(), mapping.origin.y());
    cairo_scale(context.get(), mapping.scale, mapping.scale);
    // Lines are meant in logical pixels, so that they are as wide to the eye on every screen.
    drawOverlay(input, style, picture.width(), picture.height(), mapping.scale, context.get());
    cairo_surface_flush(surface.get());
  }
  image.setDevicePixelRatio(ratio);
  return image;
}

}  // namespace adamerge::ui
