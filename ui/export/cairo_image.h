// SPDX-License-Identifier: GPL-3.0-or-later
// The core's drawing in a QImage.
#pragma once

#include <QImage>
#include <QSizeF>
#include <functional>

#include "adamerge/figures.h"

namespace adamerge::ui {

/// A page of `size_mm` at `dpi`, transparent where nothing is drawn; `draw` works in points.
/// Throws Error where there is no memory for it.
QImage drawToImage(const QSizeF& size_mm, double dpi, const std::function<void(cairo_t*)>& draw);

/// Pixels along a side of `mm` at `dpi`, as files have them.
int pixelsOf(double mm, double dpi);

}  // namespace adamerge::ui
