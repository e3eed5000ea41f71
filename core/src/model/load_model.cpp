// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/load_model.h"

#include <fmt/format.h>

#include <utility>

#include "adamerge/files.h"
#include "adamerge/hub.h"
#include "adamerge/model_info.h"
#include "adamerge/report.h"
#include "model/architecture.h"
#include "model/family.h"
#include "model/head_file.h"
#include "model/model_files.h"
#include "model/network.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;

/// The folder's name says more than "model.safetensors" does; a snapshot of the hub's cache is
/// named by a hash.
std::string displayName(const fs::path& path, const ModelFiles& files) {
  if (path != files.weights || isUsualWeightName(path.filename().string())) {
    const fs::path folder = absolutePath(files.weights).lexically_normal().parent_path();
    return hub::repositoryOfSnapshot(folder).value_or(folder.filename().string());
  }
  const fs::path stem = path.stem();
  return stem.extension() == ".pth" ? stem.stem() : stem;  // "best.pth.tar"
}

std::vector<std::string> labelsFor(const ModelConfig& config, int classes,
                                   std::vector<std::string>& notes) {
  std::vector<std::string> labels;
  if (static_cast<int>(config.labels.size()) == classes) {
    for (const std::string& label : config.labels) labels.push_back(oneLine(label));
    return labels;
  }
  if (!config.labels.empty() && classes > 0) {
    notes.push_back(fmt::format("The config names {} classes, the model has {}: numbers are shown.",
                                config.labels.size(), classes));
  }
  for (int i = 0; i < classes; ++i) labels.push_back(fmt::format("class {}", i));
  return labels;
}

/// What every config of Hugging Face's says in one way: names of classes, preprocessing.
void readHuggingFaceRest(const ConfigFiles& configs, ModelConfig& config) {
  config.labels = numberedLabels(configs.fields().below("id2label"));
  config.preprocessing =
      readHuggingFacePreprocessing(configs.preprocessorFields(), config.architecture);
  if (config.preprocessing.crop) config.input_size = {config.preprocessing.crop, "size"};
}

void noteAssumptions(const ModelInfo& info, std::vector<std::string>& notes) {
  notes.push_back(fmt::format(
      "There is no config.json: its tensors are those of {}, and assumed are a norm epsilon of {} "
      "and images prepared so: {}.",
      info.family, info.vit.norm_epsilon, describe(info.preprocessing)));
}

/// `check_values`: whether to look at all numbers of the weights.
LoadedModel readModel(const fs::path& path, const LoadOptions& options, bool check_values,
                      const ProgressCallback& progress, const std::stop_token& stop) {
  const ModelFiles files = findModelFiles(path);
  const ConfigFiles configs = readConfigFiles(files.config, files.preprocessor);
  LoadedWeights weights = readWeights(files.weights, progress, stop, options.weight_set);
  FileTensors tensors(std::move(weights.tensors), weights.file, weights.values);

  LoadedModel model;
  ModelInfo& info = model.info;
  const Family& family = findFamily(configs, tensors);
  ModelConfig config = family.open(configs, tensors);
  if (configs.format() == ConfigFormat::kHuggingFace) readHuggingFaceRest(configs, config);
  if (options.resampling) config.base.resampling = *options.resampling;
  joinProjections(tensors, config.key_bias);
  info.family = family.label;
  info.notes = config.notes;
  info.notes.insert(info.notes.end(), files.notes.begin(), files.notes.end());
  info.notes.insert(info.notes.end(), weights.notes.begin(), weights.notes.end());
  if (std::string note = tensors.droppedNote(); !note.empty()) info.notes.push_back(note);
  info.vit = findArchitecture(tensors, config, options.input_size, info.notes);
  checkShapes(tensors, info.vit);
  if (check_values) checkValues(tensors, progress, stop);

  info.name = displayName(path, files);
  info.architecture = config.architecture;
  info.source = path;
  info.weight_set = options.weight_set;
  info.preprocessing =
      preprocessingFor(config.preprocessing, {info.vit.input_height, info.vit.input_width});
  info.notes.insert(info.notes.end(), config.preprocessing.notes.begin(),
                    config.preprocessing.notes.end());
  if (configs.format() == ConfigFormat::kNone) noteAssumptions(info, info.notes);
  info.labels = labelsFor(config, info.vit.classes, info.notes);
  model.weights = tensors.release();
  for (const auto& [name, tensor] : model.weights) info.parameters += tensor.numel();
  if (!options.head.empty()) replaceHead(model, options.head);
  if (!options.dense_head.empty()) addDenseHead(model, options.dense_head);
  return model;
}

}  // namespace

LoadedModel loadModel(const fs::path& path, const LoadOptions& options,
                      const ProgressCallback& progress, const std::stop_token& stop) {
  return readModel(path, options, /*check_values=*/true, progress, stop);
}

ModelInfo describeModel(const fs::path& path) {
  return readModel(path, {}, /*check_values=*/false, {}, {}).info;
}

}  // namespace adamerge
