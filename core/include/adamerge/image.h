// SPDX-License-Identifier: GPL-3.0-or-later
// Images as people have them, decoded to 8-bit RGB, and what timm, open_clip and Hugging Face do
// with them before a network: resize, crop, normalise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "adamerge/model_info.h"
#include "adamerge/result.h"

namespace adamerge {

/// 8-bit RGB, interleaved, rows top to bottom without padding: pixels.size() == width * height * 3.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;
  /// What of the file is not in it: "holds several pages, of which the first is read"; empty: all
  /// is.
  std::string note{};

  const std::uint8_t* at(int x, int y) const {
    return pixels.data() + (static_cast<std::size_t>(y) * width + x) * 3;
  }
  std::uint8_t* at(int x, int y) {
    return pixels.data() + (static_cast<std::size_t>(y) * width + x) * 3;
  }
};

/// Decodes a file. EXIF orientation is applied, grey and palette become RGB, alpha is laid over
/// white, 16-bit is divided by 257 and rounded, CMYK is converted. The size is checked before the
/// pixels are decoded.
/// Throws Error: missing, a folder, unreadable, empty, not an image, truncated, more than
/// kMaxPixels, not-a-number in a floating-point image.
Image loadImage(const std::filesystem::path& path);

/// The same for a file already in memory (clipboard, download); `name` is used in messages.
Image decodeImage(const std::vector<std::uint8_t>& bytes, const std::string& name);

inline constexpr std::int64_t kMaxPixels = 300'000'000;

/// Image files below `folder` at any depth, by extension, sorted by path. A file is returned as the
/// only entry. Throws Error where the path is missing, cannot be listed or holds no image;
/// Cancelled.
std::vector<std::filesystem::path> findImages(const std::filesystem::path& folder,
                                              const std::stop_token& stop = {});

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
