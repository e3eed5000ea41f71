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

StateDict randomTensors(const Shape& shape) {
  const at::Generator generator = at::detail::createCPUGenerator(kSeed);
  const std::int64_t dim = shape.size.dim;
  const std::int64_t patches =
      static_cast<std::int64_t>(shape.input / shape.patch) * (shape.input / shape.patch);
  StateDict tensors;
  const auto noise = [&](at::IntArrayRef sizes) {
    return at::empty(sizes, at::kFloat).normal_(0, kDeviation, generator);
  };
  const auto linear = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    tensors[name + ".weight"] = noise({out, in});
    tensors[name + ".bias"] = at::zeros({out}, at::kFloat);
  };
  const auto norm = [&](const std::string& name) {
    tensors[name + ".weight"] = at::ones({dim}, at::kFloat);
    tensors[name + ".bias"] = at::zeros({dim}, at::kFloat);
  };
  tensors["cls_token"] = noise({1, 1, dim});
  tensors["pos_embed"] = noise({1, 1 + patches, dim});
  tensors["patch_embed.proj.weight"] = noise({dim, 3, shape.patch, shape.patch});
  tensors["patch_embed.proj.bias"] = at::zeros({dim}, at::kFloat);
  for (int block = 0; block < shape.size.depth; ++block) {
    const std::string base = fmt::format("blocks.{}.", block);
    norm(base + "norm1");
    linear(base + "attn.qkv", 3 * dim, dim);
    linear(base + "attn.proj", dim, dim);
    norm(base + "norm2");
    linear(base + "mlp.fc1", kMlpRatio * dim, dim);
    linear(base + "mlp.fc2", dim, kMlpRatio * dim);
  }
  norm("norm");
  linear("head", kClasses, dim);
  return tensors;
}

}  // namespace

LoadedModel randomModel(std::string_view architecture, const std::optional<InputSize>& input_size) {
  const Shape shape = parseShape(architecture);
  ModelConfig config;
  config.format = ConfigFormat::kTimm;
  config.architecture = architecture;
  config.file = architecture;
  config.norm_epsilon.value = 1e-6;

  LoadedModel model;
  model.weights = randomTensors(shape);
  ModelInfo& info = model.info;
  info.name = config.architecture;
  info.architecture = config.architecture;
  info.vit = findArchitecture(model.weights, info.name, config, input_size, info.notes);
  info.preprocessing =
      preprocessingFor(config.preprocessing, {info.vit.input_height, info.vit.input_width});
  for (int i = 0; i < info.vit.classes; ++i) info.labels.push_back(fmt::format("class {}", i));
  for (const auto& [name, tensor] : model.weights) info.parameters += tensor.numel();
  info.notes.push_back("The weights are random.");
  return model;
}

}  // namespace adamerge
