// SPDX-License-Identifier: GPL-3.0-or-later
// Lines that tell groups of patches apart, and their colours from block to block.
#pragma once

#include <vector>

#include "adamerge/result.h"
#include "figures/patch_marks.h"

namespace adamerge {

/// White lines between all groups; between those of one patch only where patches are not tiny.
void outlineGroups(Canvas& canvas, const PatchArea& area, const std::vector<int>& groups);
/// Of every patch the number of its group's colour after `layer`; -1: the group is one patch.
/// Groups that touch, be it at a corner, have different colours. A group keeps its colour from
/// block to block, of joined ones that of the largest, unless it comes to touch one of the same;
/// of a restored block only its own groups count.
std::vector<int> outlineColors(const std::vector<LayerTrace>& layers, int layer, const Grid& grid);
/// Lines within the edge of every group of more than one patch, in the colour that outlineColors()
/// gives it; hairlines between the others.
void outlineGroupsByColor(Canvas& canvas, const PatchArea& area, const std::vector<int>& groups,
                          const std::vector<int>& colors, double opacity);

}  // namespace adamerge
