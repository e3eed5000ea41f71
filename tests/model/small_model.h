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

inline void replace(std::string& text, const std::string& from, const std::string& to) {
  if (const std::size_t at = text.find(from); at != std::string::npos) {
    text.replace(at, from.size(), to);
  }
}

/// timm's names turned into those of Hugging Face's ViT and DeiT, or DINOv2.
inline NamedTensors huggingFaceNames(const NamedTensors& tensors, const std::string& prefix,
                                     bool dinov2) {
  std::vector<std::pair<std::string, std::string>> pairs{
      {"cls_token", "embeddings.cls_token"},
      {"dist_token", "embeddings.distillation_token"},
      {"register_tokens", "embeddings.register_tokens"},
      {"mask_token", "embeddings.mask_token"},
      {"pos_embed", "embeddings.position_embeddings"},
      {"patch_embed.proj", "embeddings.patch_embeddings.projection"},
      {"attn.proj", "attention.output.dense"},
      {"blocks.", "encoder.layer."}};
  if (dinov2) {
    pairs.insert(pairs.end(),
                 {{"ls1.gamma", "layer_scale1.lambda1"}, {"ls2.gamma", "layer_scale2.lambda1"}});
  } else {
    pairs.insert(pairs.end(), {{"norm1", "layernorm_before"},
                               {"norm2", "layernorm_after"},
                               {"mlp.fc1", "intermediate.dense"},
                               {"mlp.fc2", "output.dense"}});
  }
  NamedTensors renamed;
  for (const auto& [name, tensor] : tensors) {
    std::string text = name;
    if (text.starts_with("head.")) {
      renamed["classifier" + text.substr(4)] = tensor;
      continue;
    }
    if (text.starts_with("norm.")) text = "layernorm" + text.substr(4);
    for (const auto& [from, to] : pairs) replace(text, from, to);
    if (text.find("attn.qkv") == std::string::npos) {
      renamed[prefix + text] = tensor;
      continue;
    }
    const auto parts = tensor.chunk(3);
    int part = 0;
    for (const char* which : {"query", "key", "value"}) {
      std::string one = text;
      replace(one, "attn.qkv", std::string("attention.attention.") + which);
      renamed[prefix + one] = parts[part++];
    }
  }
  return renamed;
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
