// SPDX-License-Identifier: GPL-3.0-or-later
// From a loaded model to the network that is trained.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "model/load_model.h"
#include "recipe.h"
#include "trainable_vit.h"

namespace adamerge::training {

/// The network of a loaded model. Throws Error where it is none of the kind that TrainableVit
/// computes, with the first difference.
TrainableVit trainableVit(const LoadedModel& model, at::Device device);

/// Gives the recipe the shape and the normalisation of a model to start from (--init). `named`:
/// the shape's options that a person gave. Throws Error: the model is none that can be trained, or
/// has another shape than these; what differs is named.
void takeShape(Recipe& recipe, const ModelInfo& model, const std::vector<std::string>& named);

/// The model's weights for `classes`: its head too where its classes are called so, with rows in
/// their order; else none, and `note` says so.
StateDict weightsFor(const LoadedModel& model, const std::vector<std::string>& classes,
                     std::string& note);

}  // namespace adamerge::training
