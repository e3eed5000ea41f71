// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "model/load_model.h"

namespace adamerge {

/// Replaces the classifier of `model` by that of a safetensors file (merging-in-families, section
/// 7): `weight` [classes, width of the embedding], optionally `bias` [classes] or one number,
/// `logit_scale`, one number, with which embeddings and rows are compared by direction, and the
/// metadata `classes`, a JSON list of names. Throws Error: not such a file, another width, numbers
/// that are not finite.
void replaceHead(LoadedModel& model, const std::filesystem::path& file);

}  // namespace adamerge
