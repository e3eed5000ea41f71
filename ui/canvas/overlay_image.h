// SPDX-License-Identifier: GPL-3.0-or-later
// The core's overlay, drawn by Cairo, in an image that Qt paints.
#pragma once

#include <QImage>

#include "adamerge/overlay.h"
#include "canvas/view_port.h"

namespace adamerge::ui {

/// A transparent image of `canvas` logical pixels at `ratio` with the overlay where `mapping` puts
/// the picture.
QImage overlayImage(const OverlayInput& input, const OverlayStyle& style, const QSize& picture,
                    const ViewMapping& mapping, const QSize& canvas, double ratio);

}  // namespace adamerge::ui
