// SPDX-License-Identifier: GPL-3.0-or-later
// From a folder or weight file to a checked architecture and its tensors.
#pragma once

#include <filesystem>
#include <optional>

#include "adamerge/error.h"
#include "adamerge/model_info.h"
#include "weights/state_dict.h"

namespace adamerge {

struct LoadedModel {
  ModelInfo info;
  /// Names of model/network.h, exactly those `info.vit` needs, shapes checked, all values finite; dtypes as in
  /// the file. `pos_embed` is [1, tokens, dim] as trained, not resampled.
  StateDict weights;
};

/// `path`: a model folder (config.json beside model.safetensors, pytorch_model.bin, sharded index)
/// or a weight file (a config.json in its folder is read if there is one). timm's and Hugging
/// Face's names and configs. `input_size` overrides the config's.
/// Throws Error: see readWeights; config broken or of another architecture; missing, unexpected or
/// misshapen tensors; NaN or infinity in the weights; input size not a multiple of the patch size.
LoadedModel loadModel(const std::filesystem::path& path,
                      const std::optional<InputSize>& input_size = std::nullopt,
                      const ProgressCallback& progress = {}, const std::stop_token& stop = {});

}  // namespace adamerge
