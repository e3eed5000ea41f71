// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "adamerge/model_info.h"
#include "weights/state_dict.h"

namespace adamerge {

/// Throws Error: tensors missing, unexpected, of another shape, not of a floating-point type.
/// `file` is the name for messages.
void checkShapes(const StateDict& tensors, const VitConfig& config, const std::string& file);

/// Throws Error: tensors that hold NaN or infinity; Cancelled.
void checkValues(const StateDict& tensors, const std::string& file,
                 const ProgressCallback& progress, const std::stop_token& stop);

}  // namespace adamerge
