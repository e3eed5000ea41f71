// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/random_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "adamerge/error.h"
#include "model/architecture.h"
#include "model/network.h"
#include "support/text.h"

namespace adamerge {
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

Shape parseShape(std::string_view name) {
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
                    "of P, as vit_base_patch16_224",
                    printable(name, 60)));
  }
  return shape;
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
  FileTensors tensors = randomTensors(architectureOf(shape), info.name);
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
