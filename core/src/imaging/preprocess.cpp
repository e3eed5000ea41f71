// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adamerge/error.h"
#include "adamerge/image.h"
#include "imaging/resample.h"

namespace adamerge {
namespace {

struct Size {
  int width = 0;
  int height = 0;
};

/// Python's round(): half to even, the default rounding mode.
int roundHalfEven(double value) { return static_cast<int>(std::nearbyint(value)); }

/// Also keeps sides within what an int holds.
void checkLength(double longer, const Image& image, const Preprocessing& settings) {
  constexpr double kLongest = 1e9;
  if (longer <= kLongest) return;
  throw Error(fmt::format("an image of {} x {} pixels is too narrow to be resized to {} pixels",
                          image.width, image.height,
                          std::min(settings.resize_width, settings.resize_height)));
}

Size keptAspect(const Image& image, const Preprocessing& settings, bool fits) {
  const double rows = static_cast<double>(image.height) / settings.resize_height;
  const double columns = static_cast<double>(image.width) / settings.resize_width;
  const double ratio = fits ? std::max(rows, columns) : std::min(rows, columns);
  checkLength(std::max(image.width, image.height) / ratio, image, settings);
  if (settings.in_corner) {
    const auto rounded = [ratio](int side) {
      return std::max(static_cast<int>(side * (1.0 / ratio) + 0.5), 1);
    };
    return {rounded(image.width), rounded(image.height)};
  }
  return {std::max(roundHalfEven(image.width / ratio), 1),
          std::max(roundHalfEven(image.height / ratio), 1)};
}

Size resizedSize(const Image& image, const Preprocessing& settings) {
  switch (settings.resize) {
    case Preprocessing::Resize::kExact:
      return {settings.resize_width, settings.resize_height};
    case Preprocessing::Resize::kLongerSide:
      return keptAspect(image, settings, true);
    case Preprocessing::Resize::kShorterSide:
      break;
  }
  if (settings.resize_height != settings.resize_width) return keptAspect(image, settings, false);
  // torchvision cuts off where timm's own resize rounds.
  const std::int64_t side = settings.resize_height;
  const auto [shorter, longer] = std::minmax(image.width, image.height);
  const double other = static_cast<double>(side * longer) / shorter;
  checkLength(other, image, settings);
  const int scaled = static_cast<int>(other);
  return image.width <= image.height ? Size{settings.resize_height, scaled}
                                     : Size{scaled, settings.resize_height};
}

/// One axis of a centre crop: where the crop begins in the resized image (below 0: padding) and
/// which part of it shows the image.
struct Axis {
  int offset = 0;
  int from = 0;   ///< first sample of the resized image that is seen
  int count = 0;  ///< how many are
  int to = 0;     ///< where they begin in the crop
};

Axis cropAxis(int size, int crop, const Preprocessing& settings) {
  Axis axis;
  if (settings.in_corner) {
    axis.count = std::min(size, crop);
    return axis;
  }
  const bool rounds_down = settings.crop_rounds_down;
  if (crop > size) {
    axis.offset = -((crop - size) / 2);
  } else {
    axis.offset = rounds_down ? (size - crop) / 2 : roundHalfEven((size - crop) / 2.0);
  }
  axis.from = std::max(axis.offset, 0);
  axis.to = std::max(-axis.offset, 0);
  axis.count = std::min(size, crop);
  return axis;
}

/// The part of the picture that the crop shows, with the fill colour around it.
template <typename Sample>
std::vector<Sample> framed(std::vector<Sample> part, const Axis& columns, const Axis& rows,
                           const Preprocessing& settings) {
  if (columns.count == settings.crop_width && rows.count == settings.crop_height) return part;
  std::vector<Sample> frame(static_cast<std::size_t>(settings.crop_width) * settings.crop_height *
                            3);
  for (auto pixel = frame.begin(); pixel != frame.end();) {
    pixel = std::copy(settings.fill.begin(), settings.fill.end(), pixel);
  }
  const auto samples = static_cast<std::ptrdiff_t>(columns.count) * 3;
  for (std::ptrdiff_t y = 0; y < rows.count; ++y) {
    std::copy_n(part.begin() + y * samples, samples,
                frame.begin() + ((rows.to + y) * settings.crop_width + columns.to) * 3);
  }
  return frame;
}

/// `pixels`: of 0...255, interleaved.
template <typename Sample>
InputTensor normalised(const std::vector<Sample>& pixels, const Preprocessing& settings) {
  InputTensor input{settings.crop_height, settings.crop_width, {}};
  const std::size_t plane = pixels.size() / 3;
  input.values.resize(pixels.size());
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < plane; ++i) {
      const float value = static_cast<float>(pixels[i * 3 + c]) / 255.0F;
      input.values[c * plane + i] = (value - settings.mean[c]) / settings.std[c];
    }
  }
  return input;
}

/// Zeros beyond the picture's columns and rows.
void clearBeyond(int columns, int rows, InputTensor& input) {
  for (std::size_t c = 0; c < 3; ++c) {
    for (int y = 0; y < input.height; ++y) {
      float* row = input.values.data() +
                   (c * static_cast<std::size_t>(input.height) + static_cast<std::size_t>(y)) *
                       static_cast<std::size_t>(input.width);
      std::fill(row + (y < rows ? columns : 0), row + input.width, 0.0F);
    }
  }
}

/// For showing: as whole numbers.
std::vector<std::uint8_t> rounded(const std::vector<float>& pixels) {
  std::vector<std::uint8_t> bytes(pixels.size());
  std::transform(pixels.begin(), pixels.end(), bytes.begin(), [](float value) {
    return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 255.0F)));
  });
  return bytes;
}

}  // namespace

PreparedImage prepareImage(const Image& image, const Preprocessing& settings) {
  if (image.width <= 0 || image.height <= 0) {
    throw Error("the image has no pixels; at least 1 x 1 is expected");
  }
  if (std::min({settings.resize_width, settings.resize_height, settings.crop_width,
                settings.crop_height}) <= 0) {
    throw Error("the preprocessing's sizes must be at least 1 pixel");
  }
  if (settings.crop_height > kMaxPixels / settings.crop_width) {
    throw Error(
        fmt::format("an input of {} x {} pixels is too large; at most {} million are "
                    "prepared",
                    settings.crop_width, settings.crop_height, kMaxPixels / 1'000'000));
  }
  const Size size = resizedSize(image, settings);
  const Axis columns = cropAxis(size.width, settings.crop_width, settings);
  const Axis rows = cropAxis(size.height, settings.crop_height, settings);
  const imaging::Window window{columns.from, rows.from, columns.count, rows.count};

  PreparedImage prepared;
  prepared.view = {settings.crop_width, settings.crop_height, {}};
  if (settings.floating_point) {
    const std::vector<float> pixels = framed(
        imaging::resampleFloat(image, size.width, size.height, settings.interpolation, window),
        columns, rows, settings);
    prepared.view.pixels = rounded(pixels);
    prepared.input = normalised(pixels, settings);
  } else {
    prepared.view.pixels = framed(
        imaging::resample(image, size.width, size.height, settings.interpolation, window).pixels,
        columns, rows, settings);
    prepared.input = normalised(prepared.view.pixels, settings);
  }
  const double scaleX = static_cast<double>(image.width) / size.width;
  const double scaleY = static_cast<double>(image.height) / size.height;
  if (settings.in_corner) clearBeyond(columns.count, rows.count, prepared.input);
  prepared.input.picture = {1 / scaleX,
                            1 / scaleY,
                            static_cast<double>(-columns.offset),
                            static_cast<double>(-rows.offset),
                            image.height,
                            image.width};
  prepared.crop = {columns.offset * scaleX, rows.offset * scaleY, settings.crop_width * scaleX,
                   settings.crop_height * scaleY};
  return prepared;
}

}  // namespace adamerge
