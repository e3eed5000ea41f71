// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "adamerge/image.h"

namespace adamerge::imaging {

/// The picture as it is to be seen, by its EXIF orientation (1 to 8).
Image oriented(Image image, int orientation);

}  // namespace adamerge::imaging
