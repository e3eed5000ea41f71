// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "adamerge/error.h"
#include "adamerge/trace_file.h"

namespace adamerge {

TracedPicture pictureOf(const TraceInfo& info, const TracedImage& image) {
  TracedPicture picture;
  if (image.view) {
    picture.view = *image.view;
    picture.original = std::make_shared<const Image>(*image.view);
    picture.crop = {0, 0, double(image.view->width), double(image.view->height)};
    return picture;
  }
  const std::filesystem::path path = info.file.parent_path() / image.name;
  try {
    picture.original = std::make_shared<const Image>(loadImage(path));
  } catch (const Error& error) {
    throw Error(
        fmt::format("{}: the trace holds no picture of the image '{}', and its name is no "
                    "path to one: {}",
                    info.file.string(), image.name, error.what()));
  }
  const Image& whole = *picture.original;
  // The largest whole number of pixels a patch.
  const int side = std::min(whole.width / info.grid_width, whole.height / info.grid_height);
  if (side < 1) {
    throw Error(fmt::format("{}: {} x {} pixels are too few for a grid of {} rows and {} columns",
                            path.string(), whole.width, whole.height, info.grid_height,
                            info.grid_width));
  }
  Image& view = picture.view;
  view.width = side * info.grid_width;
  view.height = side * info.grid_height;
  const int left = (whole.width - view.width) / 2;
  const int top = (whole.height - view.height) / 2;
  view.pixels.reserve(static_cast<std::size_t>(view.width) * view.height * 3);
  for (int y = 0; y < view.height; ++y) {
    const std::uint8_t* row = whole.at(left, top + y);
    view.pixels.insert(view.pixels.end(), row, row + static_cast<std::size_t>(view.width) * 3);
  }
  picture.crop = {double(left), double(top), double(view.width), double(view.height)};
  picture.note = fmt::format(
      "the trace does not say which part of {} the network saw; its middle is taken", image.name);
  return picture;
}

}  // namespace adamerge
