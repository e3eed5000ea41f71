// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/load_model.h"

#include <fmt/format.h>

#include <utility>

#include "adamerge/hub.h"
#include "model/architecture.h"
#include "model/check_tensors.h"
#include "model/describe_model.h"
#include "model/model_config.h"
#include "model/model_files.h"
#include "model/tensor_names.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;

/// The folder's name says more than "model.safetensors" does; a snapshot of the hub's cache is
/// named by a hash.
std::string displayName(const fs::path& path, const ModelFiles& files) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  std::error_code ignored;
  const std::string stem = files.weights.stem().string();
  if (fs::is_directory(path, ignored) || path.filename() == "config.json" || stem == "model" ||
      stem == "pytorch_model") {
    const fs::path folder = fs::absolute(files.weights).lexically_normal().parent_path();
    return hub::repositoryOfSnapshot(folder).value_or(folder.filename().string());
  }
  return whole.stem().string();
}

std::vector<std::string> labelsFor(const ModelConfig& config, int classes,
                                   std::vector<std::string>& notes) {
  if (static_cast<int>(config.labels.size()) == classes) return config.labels;
  if (!config.labels.empty() && classes > 0) {
    notes.push_back(fmt::format("The config names {} classes, the model has {}: numbers are shown.",
                                config.labels.size(), classes));
  }
  std::vector<std::string> labels;
  for (int i = 0; i < classes; ++i) labels.push_back(fmt::format("class {}", i));
  return labels;
}

void noteAssumptions(const ModelInfo& info, std::vector<std::string>& notes) {
  notes.push_back(fmt::format(
      "There is no config.json: assumed are timm's defaults, GELU, a norm epsilon of {}, images "
      "resized to {} x {}, bicubic, cropped to {} x {} and normalised with mean and std 0.5.",
      info.vit.norm_epsilon, info.preprocessing.resize_height, info.preprocessing.resize_width,
      info.preprocessing.crop_height, info.preprocessing.crop_width));
}

/// The values of the weights are not looked at.
LoadedModel readModel(const fs::path& path, const std::optional<InputSize>& input_size,
                      const ProgressCallback& progress, const std::stop_token& stop) {
  const ModelFiles files = findModelFiles(path);
  const std::string weights_file = files.weights.string();
  const ModelConfig config = readModelConfig(files.config, files.preprocessor);

  LoadedModel model;
  ModelInfo& info = model.info;
  info.notes = config.notes;
  model.weights =
      withTimmNames(readWeights(files.weights, progress, stop), weights_file, info.notes);
  info.vit = findArchitecture(model.weights, weights_file, config, input_size, info.notes);
  checkShapes(model.weights, info.vit, weights_file);

  info.name = displayName(path, files);
  info.architecture = config.architecture;
  info.source = path;
  info.preprocessing =
      preprocessingFor(config.preprocessing, {info.vit.input_height, info.vit.input_width});
  info.notes.insert(info.notes.end(), config.preprocessing.notes.begin(),
                    config.preprocessing.notes.end());
  if (config.format == ConfigFormat::kNone) noteAssumptions(info, info.notes);
  info.labels = labelsFor(config, info.vit.classes, info.notes);
  for (const auto& [name, tensor] : model.weights) info.parameters += tensor.numel();
  return model;
}

}  // namespace

LoadedModel loadModel(const fs::path& path, const std::optional<InputSize>& input_size,
                      const ProgressCallback& progress, const std::stop_token& stop) {
  LoadedModel model = readModel(path, input_size, progress, stop);
  checkValues(model.weights, findModelFiles(path).weights.string(), progress, stop);
  return model;
}

ModelInfo describeModel(const fs::path& path) { return readModel(path, {}, {}, {}).info; }

}  // namespace adamerge
