// SPDX-License-Identifier: GPL-3.0-or-later
// What follows from a trace: which tokens survive.
#pragma once

#include <vector>

#include "adamerge/result.h"

namespace adamerge {

/// Per patch: the patch whose token stands for its group after block `layer`, that is, the one that
/// was always on the destination's side of the merges in blocks 0...layer.
/// Throws Error: layer out of range, merges that name no group.
std::vector<int> survivingPatches(const std::vector<LayerTrace>& layers, int layer);

enum class PatchFate {
  kUntouched,  ///< a token of its own
  kAbsorbed,   ///< its token took in others
  kMerged      ///< its token went into another patch's
};
/// Per patch, from survivingPatches().
std::vector<PatchFate> patchFates(const std::vector<int>& survivors);

}  // namespace adamerge
