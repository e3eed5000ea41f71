// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/model_config.h"
#include "weights/state_dict.h"

namespace adamerge {

/// The architecture that the tensors (timm's names) show, completed by the config. Throws Error: no
/// plain Vision Transformer, tensors and config disagree, or neither decides something.
VitConfig findArchitecture(const StateDict& tensors, const std::string& weights_file,
                           const ModelConfig& config, const std::optional<InputSize>& input_size,
                           std::vector<std::string>& notes);

}  // namespace adamerge
