// SPDX-License-Identifier: GPL-3.0-or-later
// What `--head` and `--dense-head` read.
#pragma once

#include <filesystem>
#include <string>

#include "model/load_model.h"
#include "weights/state_dict.h"

namespace adamerge {

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
