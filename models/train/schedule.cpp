// SPDX-License-Identifier: GPL-3.0-or-later
#include "schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace adamerge::training {

double learningRate(const Recipe& recipe, std::int64_t step, std::int64_t steps) {
  const auto warm_up = std::llround(recipe.warm_up * static_cast<double>(steps));
  if (step < warm_up) {
    return recipe.learning_rate * static_cast<double>(step + 1) / static_cast<double>(warm_up);
  }
  const double done = static_cast<double>(step - warm_up) / static_cast<double>(steps - warm_up);
  return recipe.learning_rate * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
}

std::int64_t keptPatches(const Recipe& recipe, std::int64_t step, std::int64_t steps,
                         std::int64_t patches) {
  const double done = static_cast<double>(step) / static_cast<double>(steps);
  for (const PatchStage& stage : recipe.keep_patches) {
    if (done < stage.until) {
      const auto kept = std::llround(stage.keep * static_cast<double>(patches));
      return std::max<std::int64_t>(kept, 1);
    }
  }
  return patches;
}

}  // namespace adamerge::training
