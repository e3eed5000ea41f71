// SPDX-License-Identifier: GPL-3.0-or-later
// OpenCV's decoders, and from what they return to 8-bit RGB.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>

#include "imaging/decoders.h"

namespace adamerge::imaging {

enum class Order { kBgr, kRgb };

enum class Alpha {
  kStraight,
  kPremultiplied,  ///< colours are already multiplied by alpha
  kIgnored         ///< the fourth channel is something else
};

/// Decodes without any conversion. Throws Error where OpenCV cannot.
cv::Mat decodeWithOpenCv(const Bytes& bytes, const std::string& name, const char* format);

/// From 1, 3 or 4 channels (grey, colours, colours and alpha) of 8 or 16 bits or floating point.
/// Throws Error for other layouts, not-a-number, and floating-point values that are not of 0...1.
Image toRgb(const cv::Mat& decoded, Order order, Alpha alpha, const std::string& name);

}  // namespace adamerge::imaging
