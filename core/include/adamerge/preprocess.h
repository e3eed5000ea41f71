// SPDX-License-Identifier: GPL-3.0-or-later
// timm's evaluation transform: resize (Pillow's antialiased filters), crop, normalise.
#pragma once

#include "adamerge/image.h"
#include "adamerge/model_info.h"
#include "adamerge/result.h"

namespace adamerge {

struct PreparedImage {
  Image view;         ///< what the model sees, before normalisation: crop_width x crop_height
  Rectangle crop;     ///< the part of the original image that `view` shows, in its pixels
  InputTensor input;  ///< normalised, [3, crop_height, crop_width]
};

/// Equal to Pillow's result (8-bit fixed-point resampling with antialiasing, horizontal pass
/// first). Only the cropped part is computed. Throws Error for an empty image.
PreparedImage prepareImage(const Image& image, const Preprocessing& preprocessing);

}  // namespace adamerge
