// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <nlohmann/json.hpp>

#include "adamerge/lenses.h"
#include "adamerge/methods.h"
#include "adamerge/model_info.h"
#include "adamerge/result.h"

namespace adamerge {

/// A report's "model", and part of what `info` tells.
nlohmann::ordered_json modelObject(const ModelInfo& info);
/// "settings": all in force in such a network, its own defaults filled in.
nlohmann::ordered_json settingsObject(const MethodChoice& choice, const VitConfig& vit);
/// One entry of a report's "layers"; `change`: nullptr where nobody measured it.
nlohmann::ordered_json layerJson(const LayerTrace& layer, const FeatureChange* change = nullptr);
/// The "dense" of an evaluated point, and part of a report's.
nlohmann::ordered_json agreementJson(const MapAgreement& maps);

}  // namespace adamerge
