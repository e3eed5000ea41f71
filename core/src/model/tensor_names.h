// SPDX-License-Identifier: GPL-3.0-or-later
// Names of tensors as other programs give them, turned into timm's.
#pragma once

#include <string>
#include <vector>

#include "weights/state_dict.h"

namespace adamerge {

/// timm's names stay; Hugging Face's (ViT, DeiT, DINOv2) and Meta's (DINOv2, DeiT III) become
/// timm's. Names it does not know stay as they are. Tensors of no use here are dropped, `notes`
/// says which. Throws Error, with `file`: tensors that belong together are incomplete or do not
/// fit.
StateDict withTimmNames(StateDict tensors, const std::string& file,
                        std::vector<std::string>& notes);

bool hasHuggingFaceNames(const StateDict& tensors);
/// Joins query, key and value; "register_tokens" keeps its name.
StateDict renameHuggingFace(StateDict tensors, const std::string& file);

}  // namespace adamerge
