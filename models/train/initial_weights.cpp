// SPDX-License-Identifier: GPL-3.0-or-later
#include "initial_weights.h"

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>

#include "adamerge/error.h"

namespace adamerge::training {
namespace {

[[noreturn]] void refuse(const ModelInfo& info, const std::string& difference) {
  throw Error(
      fmt::format("{}: adamerge-train computes plain Vision Transformers, and this model "
                  "is none: {}",
                  info.name, difference));
}

void requirePlain(const ModelInfo& info) {
  const VitConfig& vit = info.vit;
  if (vit.form != BlockForm::kPreNorm) refuse(info, "its blocks have another form");
  if (vit.activation != Activation::kGelu) refuse(info, "its activation is no GELU");
  if (vit.pooling != Pooling::kToken) refuse(info, "it is not read at its class token");
  if (vit.hasRelativeBias() || vit.isRotary()) refuse(info, "its positions are no table");
}

bool isHead(const std::string& name) { return name.starts_with("head."); }

}  // namespace

TrainableVit trainableVit(const LoadedModel& model, at::Device device) {
  requirePlain(model.info);
  Random unused(0);
  TrainableVit network(model.info.vit, unused, device);
  // The same tensors of the same shapes make the same layers.
  const c10::NoGradGuard guard;
  for (const Parameter& parameter : network.parameters()) {
    const auto found = model.weights.find(parameter.name);
    if (found == model.weights.end()) refuse(model.info, "it has no " + parameter.name);
    if (found->second.sizes() != parameter.value.sizes()) {
      refuse(model.info, parameter.name + " has another shape at this input size");
    }
    at::Tensor value = parameter.value;
    value.copy_(found->second);
  }
  for (const auto& [name, tensor] : model.weights) {
    const auto& known = network.parameters();
    const bool read = std::any_of(known.begin(), known.end(),
                                  [&](const Parameter& own) { return own.name == name; });
    if (!read) refuse(model.info, "it has " + name);
  }
  return network;
}

void takeShape(Recipe& recipe, const ModelInfo& model, const std::vector<std::string>& named) {
  requirePlain(model);
  const VitConfig& vit = model.vit;
  if (vit.input_height != vit.input_width || vit.input_height % vit.patch_size != 0) {
    refuse(model, fmt::format("its input of {} x {} pixels is no square of whole patches",
                              vit.input_width, vit.input_height));
  }
  if (vit.position_grid_height != vit.gridHeight() || vit.position_grid_width != vit.gridWidth()) {
    refuse(model, fmt::format("its positions are of {} x {} patches, its input has {} x {}",
                              vit.position_grid_width, vit.position_grid_height, vit.gridWidth(),
                              vit.gridHeight()));
  }
  const auto take = [&](const char* option, auto& own, auto theirs) {
    if (std::find(named.begin(), named.end(), option) != named.end() && own != theirs) {
      throw Error(fmt::format("--init {}: it has --{} {}, {} was asked for", model.source.string(),
                              option, theirs, own));
    }
    own = theirs;
  };
  take("image-size", recipe.image_size, vit.input_height);
  take("patch-size", recipe.patch_size, vit.patch_size);
  take("width", recipe.width, vit.dim);
  take("depth", recipe.depth, vit.depth);
  take("heads", recipe.heads, vit.heads);
  take("mlp-ratio", recipe.mlp_ratio, static_cast<double>(vit.mlp_hidden) / vit.dim);
  recipe.layer_scale = vit.layer_scale;
  recipe.mean = model.preprocessing.mean;
  recipe.std = model.preprocessing.std;
}

StateDict weightsFor(const LoadedModel& model, const std::vector<std::string>& classes,
                     std::string& note) {
  StateDict weights;
  for (const auto& [name, tensor] : weightsOf(trainableVit(model, at::kCPU))) {
    if (!isHead(name)) weights[name] = tensor;
  }
  std::vector<std::int64_t> rows;
  for (const std::string& name : classes) {
    const auto& labels = model.info.labels;
    const auto found = std::find(labels.begin(), labels.end(), name);
    if (found != labels.end()) rows.push_back(found - labels.begin());
  }
  if (rows.size() != classes.size() || model.info.labels.size() != classes.size()) {
    note = fmt::format("{}: knows {} classes, not these {}: its head begins anew", model.info.name,
                       model.info.labels.size(), classes.size());
    return weights;
  }
  const at::Tensor order = at::tensor(rows);
  for (const char* name : {"head.weight", "head.bias"}) {
    weights[name] = model.weights.at(name).to(at::kFloat).index_select(0, order);
  }
  return weights;
}

}  // namespace adamerge::training
