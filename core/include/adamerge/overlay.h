// SPDX-License-Identifier: GPL-3.0-or-later
// What is laid over a picture to show one block: the same drawing on the studio's canvas, in its
// block strip and in exported figures.
#pragma once

#include <optional>
#include <vector>

#include "adamerge/figures.h"
#include "adamerge/preprocess.h"
#include "adamerge/result.h"

namespace adamerge {

/// What an overlay is drawn from. Everything pointed to must outlive the call.
struct OverlayInput {
  const PreparedImage* image = nullptr;
  int grid_height = 0;
  int grid_width = 0;
  const std::vector<LayerTrace>* layers = nullptr;
  int layer = 0;  ///< the block shown, 0-based
  /// Groups after the same block of the run compared with; kDifference only.
  const std::vector<int>* other_groups = nullptr;
  const LensMap* lens = nullptr;  ///< of the block, where the overlay shows a lens
  /// Drawn with the cells that the block protects for them; null: none.
  const Prompts* prompts = nullptr;
  /// The groups these patches belong to after `layer` are outlined.
  std::optional<int> selected_patch;
  std::optional<int> hovered_patch;
};

/// Draws the overlay in units of the original image's pixels, origin at its top left corner: scale
/// and translate `context` first. `pixels_per_unit`: device pixels per image pixel, so that lines
/// keep their width at every zoom. The picture itself is not drawn; `image_width` and
/// `image_height` bound what dim_outside covers.
/// Nothing is drawn for what a block does not have (no salience, no class token).
/// Throws Error: layer out of range, a trace that does not fit the grid.
void drawOverlay(const OverlayInput& input, const OverlayStyle& style, double image_width,
                 double image_height, double pixels_per_unit, cairo_t* context);

/// Prompts alone, in the same units, where no run tells what they protect.
void drawPrompts(const Prompts& prompts, double image_width, double image_height,
                 double pixels_per_unit, cairo_t* context);

}  // namespace adamerge
