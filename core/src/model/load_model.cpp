// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/load_model.h"

#include <fmt/format.h>

#include <utility>

#include "model/architecture.h"
#include "model/check_tensors.h"
#include "model/model_config.h"
#include "model/model_files.h"
#include "model/tensor_names.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;

/// The folder's name says more than "model.safetensors" does.
std::string displayName(const fs::path& path, const ModelFiles& files) {
  std::error_code ignored;
  if (path != files.weights || isUsualWeightName(path.filename().string())) {
    return fs::absolute(files.weights, ignored).lexically_normal().parent_path().filename();
  }
  const fs::path stem = path.stem();
  return stem.extension() == ".pth" ? stem.stem() : stem;  // "best.pth.tar"
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

}  // namespace

LoadedModel loadModel(const fs::path& path, const std::optional<InputSize>& input_size,
                      const ProgressCallback& progress, const std::stop_token& stop) {
  const ModelFiles files = findModelFiles(path);
  const ModelConfig config = readModelConfig(files.config, files.preprocessor);
  LoadedWeights weights = readWeights(files.weights, progress, stop);
  const std::string& weights_file = weights.file;

  LoadedModel model;
  ModelInfo& info = model.info;
  info.notes = config.notes;
  info.notes.insert(info.notes.end(), files.notes.begin(), files.notes.end());
  info.notes.insert(info.notes.end(), weights.notes.begin(), weights.notes.end());
  model.weights = withTimmNames(std::move(weights.tensors), weights_file, info.notes);
  info.vit = findArchitecture(model.weights, weights_file, config, input_size, info.notes);
  checkTensors(model.weights, info.vit, weights_file, progress, stop);

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

}  // namespace adamerge
