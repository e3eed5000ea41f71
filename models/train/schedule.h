// SPDX-License-Identifier: GPL-3.0-or-later
// What changes over a run. Steps count from 0.
#pragma once

#include <cstdint>

#include "recipe.h"

namespace adamerge::training {

/// Linear up to the recipe's rate over the warm-up, then half a cosine down to 0 at `steps`.
double learningRate(const Recipe& recipe, std::int64_t step, std::int64_t steps);

/// How many of the `patches` enter the network, at least 1.
std::int64_t keptPatches(const Recipe& recipe, std::int64_t step, std::int64_t steps,
                         std::int64_t patches);

}  // namespace adamerge::training
