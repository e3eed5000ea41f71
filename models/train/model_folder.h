// SPDX-License-Identifier: GPL-3.0-or-later
// A trained network as a model folder: model.safetensors and config.json in timm's hub format.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>
#include <vector>

#include "recipe.h"
#include "weights/state_dict.h"

namespace adamerge::training {

/// Throws Error where `folder` holds anything but a model that would be replaced: layer statistics
/// or results there would belong to another one.
void requireModelFolder(const std::filesystem::path& folder);

/// Both files or none. `dtype`: float32 or float16. Throws Error: as above, weights beyond
/// float16's range, not writable, full disk.
void writeModelFolder(const std::filesystem::path& folder, const Recipe& recipe,
                      const std::vector<std::string>& classes, const StateDict& weights,
                      at::ScalarType dtype);

}  // namespace adamerge::training
