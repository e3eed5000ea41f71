// SPDX-License-Identifier: GPL-3.0-or-later
// From a folder or weight file to a checked architecture and its tensors, or one with random ones;
// and what `--head` and `--dense-head` read.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "adamerge/error.h"
#include "adamerge/model_info.h"
#include "weights/state_dict.h"

namespace adamerge {

struct LoadedModel {
  ModelInfo info;
  /// Names of model/network.h, exactly those `info.vit` needs, shapes checked, all values finite;
  /// dtypes as in the file. `pos_embed` is [1, tokens, dim] as trained, not resampled.
  StateDict weights;
};

struct LoadOptions {
  std::optional<InputSize> input_size{};   ///< instead of the config's
  std::optional<Resampling> resampling{};  ///< of the position table, instead of the library's own
  std::filesystem::path head{};        ///< replaces the classifier, see replaceHead(); empty: none
  std::filesystem::path dense_head{};  ///< read into it, see addDenseHead(); empty: none
  std::string weight_set{};            ///< see chooseWeights(); empty: the best
};

/// `path`: a model folder (config.json or open_clip_config.json beside the weights) or a weight
/// file (configs in its folder are read if there are any), of any family of model/family.h. Throws
/// Error: see readWeights; config broken, of another family than the tensors, or with fields that
/// are not known; missing, unexpected or misshapen tensors; NaN or infinity in the weights.
LoadedModel loadModel(const std::filesystem::path& path, const LoadOptions& options = {},
                      const ProgressCallback& progress = {}, const std::stop_token& stop = {});

/// `architecture`: timm's name of a plain Vision Transformer, vit_SIZE_patchP_INPUT with SIZE tiny,
/// small, base, large or huge, as in vit_base_patch16_224. A class token, 1,000 classes, fp32;
/// always the same weights, those of a newly initialised network (normal with deviation 0.02,
/// biases 0). `input_size` overrides the name's. Throws Error: another name, input size not a
/// multiple of the patch size.
LoadedModel randomModel(std::string_view architecture,
                        const std::optional<InputSize>& input_size = std::nullopt);

/// Of a head's `tensors`, which are from `file`, the one called `name`, in `type`; undefined where
/// there is none. Throws Error: no floating-point type, NaN or infinity.
at::Tensor finiteTensor(const StateDict& tensors, const std::string& name, at::ScalarType type,
                        const std::string& file);

/// Replaces the classifier of `model` by that of a safetensors file (merging-in-families, section
/// 7): `weight` [classes, width of the embedding], optionally `bias` [classes] or one number,
/// `logit_scale`, one number, with which embeddings and rows are compared by direction, and the
/// metadata `classes`, a JSON list of names. Throws Error: not such a file, another width, numbers
/// that are not finite.
void replaceHead(LoadedModel& model, const std::filesystem::path& file);

/// Gives `model` the linear classifier of patches in `file`: safetensors with `weight` [classes,
/// k * width], `bias` and all or none of bn.{weight, bias, running_mean, running_var}, metadata
/// `classes`; or a checkpoint as mmseg writes it, decode_head.{conv_seg, bn} and meta["CLASSES"].
/// Batch norm (evaluation mode, epsilon 1e-5) is folded into the classifier. Throws Error: not such
/// a file, another width, numbers that are not finite.
void addDenseHead(LoadedModel& model, const std::filesystem::path& file);

}  // namespace adamerge
