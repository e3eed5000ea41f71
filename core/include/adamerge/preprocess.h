// SPDX-License-Identifier: GPL-3.0-or-later
// Resize, crop, normalise: what timm, open_clip and Hugging Face do before a network.
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
/// first), or torchvision's on floats where the preprocessing is in floating point. Only the
/// cropped part is computed. Throws Error: an empty image, one too narrow for its resize, an input
/// of more than kMaxPixels.
PreparedImage prepareImage(const Image& image, const Preprocessing& preprocessing);

}  // namespace adamerge
