// SPDX-License-Identifier: GPL-3.0-or-later
// A small Vision Transformer of random numbers, and folders that hold it.
#pragma once

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "adamerge/model_info.h"
#include "safetensors_writer.h"
#include "temporary_folder.h"

namespace adamerge::test {

/// timm's names; 2 blocks, patches of 8, a position grid of 4 x 4.
inline NamedTensors smallTensors(int dim = 32, int prefix = 1) {
  NamedTensors tensors;
  const auto linear = [&](const std::string& name, int out, int in) {
    tensors[name + ".weight"] = at::randn({out, in});
    tensors[name + ".bias"] = at::randn({out});
  };
  const auto norm = [&](const std::string& name) {
    tensors[name + ".weight"] = at::randn({dim});
    tensors[name + ".bias"] = at::randn({dim});
  };
  tensors["patch_embed.proj.weight"] = at::randn({dim, 3, 8, 8});
  tensors["patch_embed.proj.bias"] = at::randn({dim});
  tensors["cls_token"] = at::randn({1, 1, dim});
  tensors["pos_embed"] = at::randn({1, 16 + prefix, dim});
  for (int block = 0; block < 2; ++block) {
    const std::string base = fmt::format("blocks.{}.", block);
    norm(base + "norm1");
    linear(base + "attn.qkv", 3 * dim, dim);
    linear(base + "attn.proj", dim, dim);
    norm(base + "norm2");
    linear(base + "mlp.fc1", 4 * dim, dim);
    linear(base + "mlp.fc2", dim, 4 * dim);
  }
  norm("norm");
  linear("head", 7, dim);
  return tensors;
}

inline nlohmann::json smallConfig() {
  return {
      {"architecture", "vit_tiny_patch16_224"},
      {"num_classes", 7},
      {"global_pool", "token"},
      {"model_args",
       {{"img_size", 32}, {"patch_size", 8}, {"embed_dim", 32}, {"depth", 2}, {"num_heads", 4}}},
      {"pretrained_cfg",
       {{"input_size", {3, 32, 32}},
        {"interpolation", "bicubic"},
        {"crop_pct", 0.8},
        {"crop_mode", "center"},
        {"mean", {0.5, 0.5, 0.5}},
        {"std", {0.5, 0.5, 0.5}},
        {"label_names", {"a", "b", "c", "d", "e", "f", "g"}}}}};
}

class ModelFolder {
 public:
  const std::filesystem::path& path() const { return folder_.path(); }
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
  void tensors(const NamedTensors& tensors) const {
    writeSafetensors(path() / "model.safetensors", tensors);
  }
  void json(const std::string& name, const nlohmann::json& value) const {
    writeBytes(path() / name, value.dump());
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace adamerge::test
