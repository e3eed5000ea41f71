// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <nlohmann/json.hpp>

#include "adamerge/result.h"

namespace adamerge {

/// One entry of a report's "layers".
nlohmann::ordered_json layerJson(const LayerTrace& layer);

}  // namespace adamerge
