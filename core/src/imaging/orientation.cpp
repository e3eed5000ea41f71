// SPDX-License-Identifier: GPL-3.0-or-later
#include "imaging/orientation.h"

#include <algorithm>

namespace adamerge::imaging {

Image oriented(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool swapped = orientation >= 5;
  const bool flipX = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flipY = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image turned{swapped ? image.height : image.width, swapped ? image.width : image.height, {}};
  turned.pixels.resize(image.pixels.size());
  for (int y = 0; y < turned.height; ++y) {
    for (int x = 0; x < turned.width; ++x) {
      const int column = swapped ? y : x;
      const int row = swapped ? x : y;
      const std::uint8_t* from =
          image.at(flipX ? image.width - 1 - column : column, flipY ? image.height - 1 - row : row);
      std::copy_n(from, 3, turned.at(x, y));
    }
  }
  return turned;
}

}  // namespace adamerge::imaging
