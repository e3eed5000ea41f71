// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/load_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "adamerge/hub.h"
#include "adamerge/model_info.h"
#include "adamerge/report.h"
#include "model/architecture.h"
#include "model/family.h"
#include "model/model_config.h"
#include "model/network.h"
#include "support/text.h"

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

namespace {

constexpr int kClasses = 1000;
constexpr int kMlpRatio = 4;
constexpr double kDeviation = 0.02;
constexpr std::uint64_t kSeed = 1;
/// Of a side; position embeddings and patch weights beyond would fill the memory.
constexpr int kLargestInput = 4096;
constexpr int kLargestPatch = 256;

struct Size {
  std::string_view name;
  int dim;
  int depth;
};
constexpr std::array<Size, 5> kSizes{{{"tiny", 192, 12},
                                      {"small", 384, 12},
                                      {"base", 768, 12},
                                      {"large", 1024, 24},
                                      {"huge", 1280, 32}}};

struct Shape {
  Size size;
  int patch = 0;
  int input = 0;
  bool sam = false;  ///< Segment Anything's encoder
};

/// Removes `prefix` from the front of `text` if it is there.
bool skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool readNumber(std::string_view& text, int most, int& value) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 1 || value > most) return false;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  return true;
}

/// samvit_{base,large,huge}_patch16, timm's names, and _INPUT where that is not 1024.
std::optional<Shape> parseSamShape(std::string_view name) {
  constexpr int kSide = 1024;
  constexpr std::array<std::string_view, 3> kSamSizes{"base", "large", "huge"};
  Shape shape;
  shape.patch = 16;
  shape.input = kSide;
  if (!skip(name, "samvit_")) return std::nullopt;
  const auto size =
      std::find_if(kSizes.begin(), kSizes.end(), [&](const Size& s) { return skip(name, s.name); });
  if (size == kSizes.end() ||
      std::find(kSamSizes.begin(), kSamSizes.end(), size->name) == kSamSizes.end()) {
    return std::nullopt;
  }
  shape.size = *size;
  shape.sam = true;
  if (!skip(name, "_patch16")) return std::nullopt;
  if (skip(name, "_") && !readNumber(name, kLargestInput, shape.input)) return std::nullopt;
  if (!name.empty() || shape.input % shape.patch != 0) return std::nullopt;
  return shape;
}

Shape parseShape(std::string_view name) {
  if (const std::optional<Shape> sam = parseSamShape(name)) return *sam;
  std::string_view rest = name;
  Shape shape;
  const auto known = [&] {
    const auto size = std::find_if(kSizes.begin(), kSizes.end(),
                                   [&](const Size& s) { return skip(rest, s.name); });
    if (size == kSizes.end()) return false;
    shape.size = *size;
    return true;
  };
  if (!skip(rest, "vit_") || !known() || !skip(rest, "_patch") ||
      !readNumber(rest, kLargestPatch, shape.patch) || !skip(rest, "_") ||
      !readNumber(rest, kLargestInput, shape.input) || !rest.empty() ||
      shape.input % shape.patch != 0) {
    throw Error(
        fmt::format("'{}' is no architecture that can be made here: "
                    "vit_{{tiny,small,base,large,huge}}_patchP_INPUT is expected, INPUT a multiple "
                    "of P, as vit_base_patch16_224, or samvit_{{base,large,huge}}_patch16",
                    printable(name, 60)));
  }
  return shape;
}

/// Every quarter of the depth ends with a block that sees the whole grid.
std::vector<int> samWindows(int depth, int side) {
  std::vector<int> sides(static_cast<std::size_t>(depth), side);
  for (int quarter = 1; quarter <= 4; ++quarter) {
    sides[static_cast<std::size_t>(quarter * depth / 4 - 1)] = 0;
  }
  return sides;
}

/// The architecture that the name stands for.
VitConfig architectureOf(const Shape& shape) {
  VitConfig vit;
  vit.input_height = vit.input_width = shape.input;
  vit.patch_size = shape.patch;
  vit.dim = shape.size.dim;
  vit.depth = shape.size.depth;
  constexpr int kHeadWidth = 64;
  vit.heads = std::max(vit.dim / kHeadWidth, 1);
  vit.mlp_hidden = kMlpRatio * vit.dim;
  vit.position_grid_height = vit.position_grid_width = shape.input / shape.patch;
  vit.classes = kClasses;
  if (!shape.sam) return vit;
  constexpr int kWindow = 14;
  constexpr int kChannels = 256;
  constexpr int kWideHeads = 16;
  if (vit.dim > 768) vit.heads = kWideHeads;
  vit.class_token = vit.position_covers_prefix = false;
  vit.final_norm = false;
  vit.classes = 0;
  vit.pooling = Pooling::kAverage;
  vit.neck_channels = kChannels;
  vit.windows = {samWindows(vit.depth, kWindow), true, vit.position_grid_height,
                 vit.position_grid_width};
  return vit;
}

FileTensors randomTensors(const VitConfig& vit, const std::string& name) {
  const at::Generator generator = at::detail::createCPUGenerator(kSeed);
  StateDict tensors;
  for (const TensorSpec& spec : networkTensors(vit)) {
    const at::Tensor tensor = at::empty(spec.shape, at::kFloat);
    switch (spec.use) {
      case TensorSpec::Use::kBias:
      case TensorSpec::Use::kShift:
        tensor.zero_();
        break;
      case TensorSpec::Use::kScale:
        tensor.fill_(1);
        break;
      case TensorSpec::Use::kWeight:
      case TensorSpec::Use::kOther:
        tensor.normal_(0, kDeviation, generator);
        break;
    }
    tensors[spec.name] = tensor;
  }
  return {std::move(tensors), name};
}

}  // namespace

LoadedModel randomModel(std::string_view architecture, const std::optional<InputSize>& input_size) {
  const Shape shape = parseShape(architecture);
  ModelConfig config;
  config.format = ConfigFormat::kTimm;
  config.file = architecture;

  LoadedModel model;
  ModelInfo& info = model.info;
  info.name = architecture;
  info.architecture = architecture;
  const VitConfig vit = architectureOf(shape);
  FileTensors tensors = randomTensors(vit, info.name);
  if (shape.sam) {
    config.base.windows = vit.windows;
    config.heads.value = vit.heads;
    config.class_token.value = false;
    config.final_norm = {false, "final_norm"};
    config.pooling = {Pooling::kAverage, "global_pool"};
    config.preprocessing = publishedPreprocessing(Publisher::kMetaSam);
    config.preprocessing.notes.clear();
  }
  info.vit = findArchitecture(tensors, config, input_size, info.notes);
  model.weights = tensors.release();
  info.preprocessing =
      preprocessingFor(config.preprocessing, {info.vit.input_height, info.vit.input_width});
  for (int i = 0; i < info.vit.classes; ++i) info.labels.push_back(fmt::format("class {}", i));
  for (const auto& [name, tensor] : model.weights) info.parameters += tensor.numel();
  info.notes.push_back("The weights are random.");
  return model;
}

}  // namespace adamerge
