// SPDX-License-Identifier: GPL-3.0-or-later
// Models with noise for weights: as quick or slow as trained ones, and nothing to download.
#pragma once

#include <optional>
#include <string_view>

#include "model/load_model.h"

namespace adamerge {

/// `architecture`: timm's name of a plain Vision Transformer, vit_SIZE_patchP_INPUT with SIZE tiny,
/// small, base, large or huge, as in vit_base_patch16_224. A class token, 1,000 classes, fp32;
/// always the same weights, those of a newly initialised network (normal with deviation 0.02,
/// biases 0). `input_size` overrides the name's. Throws Error: another name, input size not a
/// multiple of the patch size.
LoadedModel randomModel(std::string_view architecture,
                        const std::optional<InputSize>& input_size = std::nullopt);

}  // namespace adamerge
