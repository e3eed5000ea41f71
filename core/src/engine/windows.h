// SPDX-License-Identifier: GPL-3.0-or-later
// The windows that a part of a block runs in (dense, sections 1 and 2).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "adamerge/flops.h"
#include "adamerge/model_info.h"
#include "adamerge/result.h"
#include "merging/method.h"

namespace adamerge {

/// Windows of one size that cover the grid from the upper left; those at the right and below are
/// filled up with padding.
struct WindowGrid {
  int rows = 0;  ///< of a window
  int columns = 0;
  std::vector<Window> windows;  ///< what they hold of the grid, in raster order

  int places() const { return rows * columns; }
  int padding(const Window& window) const { return places() - window.rows * window.columns; }
};

/// Of square windows of `side` patches; 0: one window, the grid.
WindowGrid windowsOf(const VitConfig& vit, int side);

/// Of the input's rows and columns, from the upper left, those that show the picture and not what
/// pads it (dense, section 1); nullopt: all do.
std::optional<InputSize> pictureWithin(const PicturePlace& picture, const VitConfig& vit);
/// Of patches in raster order those that begin within it; empty: all.
std::vector<bool> patchesWithin(const std::optional<InputSize>& picture, const VitConfig& vit);

/// What an attention in windows costs with `tokens` left in each, padding not counted.
BlockWork windowedWork(const VitConfig& vit, const WindowGrid& grid,
                       const std::vector<std::int64_t>& tokens);

/// Where one patch's token looks in its window of a block, or who in the window looks there.
struct WindowLooks {
  /// [heads][patches]: shares, of where it looks divided by the patches of the token looked at; NaN
  /// beyond the window.
  std::vector<std::vector<float>> heads;
  std::vector<float> entropy;  ///< per head of where it looks, in nats
};

/// A part of a block on the way through its windows: tokens of all images, image by image, window
/// by window.
struct InsideWindows {
  at::Tensor tokens;                 ///< [tokens inside, d]: what the part reads, merged
  at::Tensor back;                   ///< of each token of the grids its row of `tokens`
  std::vector<MergePlan> plans;      ///< of each window
  std::vector<std::int64_t> counts;  ///< tokens left in each
};

}  // namespace adamerge
