// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/file_tensors.h"
#include "model/model_config.h"

namespace adamerge {

/// The architecture that the tensors (names of model/network.h) show, completed by the config.
/// Throws Error: tensors and config disagree, or neither decides something.
VitConfig findArchitecture(const FileTensors& tensors, const ModelConfig& config,
                           const std::optional<InputSize>& input_size,
                           std::vector<std::string>& notes);

}  // namespace adamerge
