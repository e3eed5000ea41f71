// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "model/model_config.h"

namespace adamerge {

struct PositionGrid {
  bool covers_prefix = true;
  int height = 0;
  int width = 0;
};

/// How the `tokens` rows of a position embedding stand for prefix tokens and a grid of patches: as
/// the config says, else the grid is taken as square. Throws Error where neither gives a grid.
PositionGrid findPositionGrid(std::int64_t tokens, int prefix_tokens, int patch_size,
                              const ModelConfig& config, const std::string& weights_file);

}  // namespace adamerge
