// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

#include "model/load_model.h"

namespace adamerge {

/// Gives `model` the linear classifier of patches in `file`: safetensors with `weight` [classes,
/// k * width], `bias` and all or none of bn.{weight, bias, running_mean, running_var}, metadata
/// `classes`; or a checkpoint as mmseg writes it, decode_head.{conv_seg, bn} and meta["CLASSES"].
/// Batch norm (evaluation mode, epsilon 1e-5) is folded into the classifier. Throws Error: not such
/// a file, another width, numbers that are not finite.
void addDenseHead(LoadedModel& model, const std::filesystem::path& file);

}  // namespace adamerge
