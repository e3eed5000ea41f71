// SPDX-License-Identifier: GPL-3.0-or-later
// Antialiased filters, horizontal pass first: Pillow's in 8-bit fixed point, and torchvision's in
// floating point.
#pragma once

#include "adamerge/image.h"
#include "adamerge/model_info.h"

namespace adamerge::imaging {

struct Window {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

/// The part `window` of `image` resized to width x height; nothing outside it is computed. The
/// window lies within the resized image and is not empty.
Image resample(const Image& image, int width, int height, Interpolation interpolation,
               const Window& window);

/// The same without rounding: red, green and blue of each pixel as numbers of 0...255, not clipped
/// where a filter overshoots.
std::vector<float> resampleFloat(const Image& image, int width, int height,
                                 Interpolation interpolation, const Window& window);

}  // namespace adamerge::imaging
