// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/check_tensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <string_view>
#include <vector>

#include "adamerge/error.h"
#include "weights/json_text.h"

namespace adamerge {
namespace {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

void addLinear(Shapes& shapes, const std::string& name, std::int64_t out, std::int64_t in,
               bool bias = true) {
  shapes[name + ".weight"] = {out, in};
  if (bias) shapes[name + ".bias"] = {out};
}

void addNorm(Shapes& shapes, const std::string& name, std::int64_t size) {
  shapes[name + ".weight"] = {size};
  shapes[name + ".bias"] = {size};
}

void addBlock(Shapes& shapes, const std::string& base, const VitConfig& config) {
  const std::int64_t dim = config.dim;
  addNorm(shapes, base + "norm1", dim);
  addLinear(shapes, base + "attn.qkv", 3 * dim, dim, config.qkv_bias);
  if (config.qk_norm) {
    addNorm(shapes, base + "attn.q_norm", config.headDim());
    addNorm(shapes, base + "attn.k_norm", config.headDim());
  }
  addLinear(shapes, base + "attn.proj", dim, dim);
  addNorm(shapes, base + "norm2", dim);
  addLinear(shapes, base + "mlp.fc1", config.mlp_hidden, dim);
  addLinear(shapes, base + "mlp.fc2", dim, config.mlp_hidden);
  if (config.layer_scale) {
    shapes[base + "ls1.gamma"] = {dim};
    shapes[base + "ls2.gamma"] = {dim};
  }
}

/// All tensors of the network. A second head for the distillation token is optional, so it is
/// expected where there is one.
Shapes expectedShapes(const VitConfig& config, bool distillation_head) {
  Shapes shapes;
  const std::int64_t dim = config.dim;
  shapes["patch_embed.proj.weight"] = {dim, config.channels, config.patch_size, config.patch_size};
  if (config.patch_bias) shapes["patch_embed.proj.bias"] = {dim};
  if (config.class_token) shapes["cls_token"] = {1, 1, dim};
  if (config.distillation_token) shapes["dist_token"] = {1, 1, dim};
  if (config.register_tokens > 0) shapes["reg_token"] = {1, config.register_tokens, dim};
  const std::int64_t patches =
      static_cast<std::int64_t>(config.position_grid_height) * config.position_grid_width;
  shapes["pos_embed"] = {1, patches + (config.position_covers_prefix ? config.prefixTokens() : 0),
                         dim};
  if (config.pre_norm) addNorm(shapes, "norm_pre", dim);
  for (int block = 0; block < config.depth; ++block) {
    addBlock(shapes, fmt::format("blocks.{}.", block), config);
  }
  const std::int64_t features = config.pooling == Pooling::kTokenAndAverage ? 2 * dim : dim;
  if (config.final_norm) addNorm(shapes, "norm", dim);
  if (config.fc_norm) addNorm(shapes, "fc_norm", features);
  if (config.classes > 0) addLinear(shapes, "head", config.classes, features);
  if (distillation_head) addLinear(shapes, "head_dist", config.classes, dim);
  return shapes;
}

/// "a, b, c, d, e and 7 more"
std::string summary(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 5;
  if (names.size() <= kShown) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} and {} more", fmt::join(names.begin(), names.begin() + kShown, ", "),
                     names.size() - kShown);
}

void checkNames(const StateDict& tensors, const Shapes& shapes, const std::string& file) {
  std::vector<std::string> missing;
  std::vector<std::string> unexpected;
  for (const auto& [name, shape] : shapes) {
    if (!tensors.contains(name)) missing.push_back(name);
  }
  for (const auto& [name, tensor] : tensors) {
    if (!shapes.contains(name)) unexpected.push_back(printable(name, 60));
  }
  if (missing.empty() && unexpected.empty()) return;
  throw Error(
      fmt::format("{}: the tensors are not those of a plain Vision Transformer: {}{}{}", file,
                  missing.empty() ? "" : fmt::format("missing {}", summary(missing)),
                  missing.empty() || unexpected.empty() ? "" : "; ",
                  unexpected.empty() ? "" : fmt::format("unexpected {}", summary(unexpected))));
}

}  // namespace

void checkShapes(const StateDict& tensors, const VitConfig& config, const std::string& file) {
  const bool distillation_head =
      config.distillation_token && config.classes > 0 && tensors.contains("head_dist.weight");
  const Shapes shapes = expectedShapes(config, distillation_head);
  checkNames(tensors, shapes, file);
  for (const auto& [name, shape] : shapes) {
    const at::Tensor& tensor = tensors.find(name)->second;
    if (tensor.sizes() != at::IntArrayRef(shape)) {
      throw Error(fmt::format("{}: tensor '{}' has shape [{}], expected is [{}]", file, name,
                              fmt::join(tensor.sizes(), ", "), fmt::join(shape, ", ")));
    }
    if (!tensor.is_floating_point()) {
      throw Error(fmt::format("{}: tensor '{}' is of type {}, a floating-point type is expected",
                              file, name, at::toString(tensor.scalar_type())));
    }
  }
}

void checkValues(const StateDict& tensors, const std::string& file,
                 const ProgressCallback& progress, const std::stop_token& stop) {
  std::int64_t done = 0;
  for (const auto& [name, tensor] : tensors) {
    throwIfStopped(stop);
    if (!at::isfinite(tensor).all().item<bool>()) {
      throw Error(fmt::format("{}: tensor '{}' holds NaN or infinity: the weights are damaged",
                              file, name));
    }
    ++done;
    if (progress) {
      progress({"checking weights", done, static_cast<std::int64_t>(tensors.size())});
    }
  }
}

}  // namespace adamerge
