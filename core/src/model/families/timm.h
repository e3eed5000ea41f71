// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "model/family.h"

namespace adamerge {

/// A network of timm's classes VisionTransformer, Eva and Beit: what the architecture `name` and
/// `args` (timm's model_args, over the architecture's own) say; the tensors get the names of
/// model/network.h. `file` and `prefix` are for messages.
ModelConfig readTimmNetwork(const std::string& name, const nlohmann::json& args,
                            const std::string& file, const std::string& prefix,
                            FileTensors& tensors);

/// The same of class VisionTransformerSAM: `given` over what the architecture is `known` by.
ModelConfig readTimmSam(const std::string& name, const ConfigFields& given,
                        const ConfigFields& known, FileTensors& tensors);

/// Throws Error where the config's `architecture` is none of those classes'.
void requireTimmArchitecture(const ConfigFields& config);

/// What timm 1.0.31 says of an architecture, as arguments of its class; null where it is not known.
const nlohmann::json* timmArchitecture(const std::string& name);

}  // namespace adamerge
