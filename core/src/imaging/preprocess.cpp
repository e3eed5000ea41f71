// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/preprocess.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adamerge/error.h"
#include "imaging/resample.h"

namespace adamerge {
namespace {

struct Size {
  int width = 0;
  int height = 0;
};

/// Python's round(): half to even, the default rounding mode.
int roundHalfEven(double value) { return static_cast<int>(std::nearbyint(value)); }

Size keptAspect(const Image& image, const Preprocessing& settings, bool fits) {
  const double rows = static_cast<double>(image.height) / settings.resize_height;
  const double columns = static_cast<double>(image.width) / settings.resize_width;
  const double ratio = fits ? std::max(rows, columns) : std::min(rows, columns);
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
  if (other > 1e9) {
    throw Error(fmt::format("an image of {} x {} pixels is too narrow to be resized to {} pixels",
                            image.width, image.height, side));
  }
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

Axis cropAxis(int size, int crop) {
  Axis axis;
  axis.offset = crop > size ? -((crop - size) / 2) : roundHalfEven((size - crop) / 2.0);
  axis.from = std::max(axis.offset, 0);
  axis.to = std::max(-axis.offset, 0);
  axis.count = std::min(size, crop);
  return axis;
}

Image padded(const Image& part, const Axis& columns, const Axis& rows,
             const Preprocessing& settings) {
  Image view{settings.crop_width, settings.crop_height, {}};
  view.pixels.resize(static_cast<std::size_t>(view.width) * view.height * 3);
  for (auto pixel = view.pixels.begin(); pixel != view.pixels.end();) {
    pixel = std::copy(settings.fill.begin(), settings.fill.end(), pixel);
  }
  for (int y = 0; y < part.height; ++y) {
    std::copy_n(part.at(0, y), static_cast<std::size_t>(part.width) * 3,
                view.at(columns.to, rows.to + y));
  }
  return view;
}

InputTensor normalised(const Image& view, const Preprocessing& settings) {
  InputTensor input{view.height, view.width, {}};
  const std::size_t plane = static_cast<std::size_t>(view.width) * view.height;
  input.values.resize(plane * 3);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < plane; ++i) {
      const float value = static_cast<float>(view.pixels[i * 3 + c]) / 255.0F;
      input.values[c * plane + i] = (value - settings.mean[c]) / settings.std[c];
    }
  }
  return input;
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
  const Size size = resizedSize(image, settings);
  const Axis columns = cropAxis(size.width, settings.crop_width);
  const Axis rows = cropAxis(size.height, settings.crop_height);
  PreparedImage prepared;
  prepared.view = imaging::resample(image, size.width, size.height, settings.interpolation,
                                    {columns.from, rows.from, columns.count, rows.count});
  if (columns.count < settings.crop_width || rows.count < settings.crop_height) {
    prepared.view = padded(prepared.view, columns, rows, settings);
  }
  const double scaleX = static_cast<double>(image.width) / size.width;
  const double scaleY = static_cast<double>(image.height) / size.height;
  prepared.crop = {columns.offset * scaleX, rows.offset * scaleY, settings.crop_width * scaleX,
                   settings.crop_height * scaleY};
  prepared.input = normalised(prepared.view, settings);
  return prepared;
}

}  // namespace adamerge
