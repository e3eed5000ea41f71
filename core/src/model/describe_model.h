// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "adamerge/model_info.h"

namespace adamerge {

/// What loadModel() would load, from the configs and the tensors' shapes alone. Throws Error as it
/// does, but for NaN and infinity.
ModelInfo describeModel(const std::filesystem::path& path);

}  // namespace adamerge
