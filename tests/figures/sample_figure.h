// SPDX-License-Identifier: GPL-3.0-or-later
// A run made by hand: four patches in a square of colours, and larger ones by a rule.
#pragma once

#include <string>
#include <vector>

#include "adamerge/figures.h"

namespace adamerge::test {

/// A smooth picture with a different colour everywhere.
Image gradientImage(int width, int height);

struct SampleShape {
  int grid_height = 4;
  int grid_width = 4;
  int layers = 4;
  int patch = 8;  ///< pixels
  bool salience = true;
  bool statistics = true;
};

/// The lens shows 1 / (group + 2) in every block, and the same in two heads of the last one.
/// The view is the middle of an original that reaches 4 pixels further left and right, 2 up and
/// down. In each block the first third of the tokens merge into the token that follows them.
FigureInput sampleInput(const SampleShape& shape = {});

std::string fileText(const std::filesystem::path& path);

}  // namespace adamerge::test
