// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "adamerge/trace_file.h"
#include "weights/safetensors.h"

namespace adamerge {

/// All but depth and what tensors there are. Throws Error: another format or version, a grid or
/// names that are none.
TraceInfo readTraceInfo(const SafetensorsMetadata& texts, const std::filesystem::path& file);

}  // namespace adamerge
