// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adamerge/error.h"
#include "model/file_tensors.h"
#include "model/model_config.h"

namespace adamerge {

/// The architecture that the tensors (names of model/network.h) show, completed by the config.
/// Throws Error: tensors and config disagree, or neither decides something.
VitConfig findArchitecture(const FileTensors& tensors, const ModelConfig& config,
                           const std::optional<InputSize>& input_size,
                           std::vector<std::string>& notes);

/// Throws Error unless `tensors` are exactly those the network needs: all there, none besides, of
/// the right shape, floating point.
void checkShapes(const FileTensors& tensors, const VitConfig& vit);

/// Throws Error: NaN or infinity; Cancelled.
void checkValues(const FileTensors& tensors, const ProgressCallback& progress,
                 const std::stop_token& stop);

}  // namespace adamerge
