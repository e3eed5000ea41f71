// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <nlohmann/json.hpp>

#include "adamerge/lenses.h"
#include "adamerge/result.h"

namespace adamerge {

/// One entry of a report's "layers"; `change`: nullptr where nobody measured it.
nlohmann::ordered_json layerJson(const LayerTrace& layer, const FeatureChange* change = nullptr);
/// The "dense" of an evaluated point, and part of a report's.
nlohmann::ordered_json agreementJson(const MapAgreement& maps);

}  // namespace adamerge
