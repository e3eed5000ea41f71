// SPDX-License-Identifier: GPL-3.0-or-later
#include "random_vit.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "safetensors_writer.h"

namespace adamerge {
namespace {

constexpr std::int64_t kDim = 768;
constexpr std::int64_t kHidden = 4 * kDim;
constexpr std::int64_t kPatch = 16;
constexpr std::int64_t kPatches = 14 * 14;
constexpr std::int64_t kClasses = 1000;
constexpr int kDepth = 12;
/// Of a newly initialised network; larger weights saturate the attention.
constexpr double kDeviation = 0.02;

at::Tensor noise(at::IntArrayRef shape) { return at::randn(shape, at::kFloat).mul_(kDeviation); }

}  // namespace

void writeRandomVitBase(const std::filesystem::path& folder) {
  at::manual_seed(1);
  test::NamedTensors tensors;
  const auto linear = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    tensors[name + ".weight"] = noise({out, in});
    tensors[name + ".bias"] = at::zeros({out}, at::kFloat);
  };
  const auto norm = [&](const std::string& name) {
    tensors[name + ".weight"] = at::ones({kDim}, at::kFloat);
    tensors[name + ".bias"] = at::zeros({kDim}, at::kFloat);
  };
  tensors["cls_token"] = noise({1, 1, kDim});
  tensors["pos_embed"] = noise({1, 1 + kPatches, kDim});
  tensors["patch_embed.proj.weight"] = noise({kDim, 3, kPatch, kPatch});
  tensors["patch_embed.proj.bias"] = at::zeros({kDim}, at::kFloat);
  for (int block = 0; block < kDepth; ++block) {
    const std::string prefix = fmt::format("blocks.{}.", block);
    norm(prefix + "norm1");
    linear(prefix + "attn.qkv", 3 * kDim, kDim);
    linear(prefix + "attn.proj", kDim, kDim);
    norm(prefix + "norm2");
    linear(prefix + "mlp.fc1", kHidden, kDim);
    linear(prefix + "mlp.fc2", kDim, kHidden);
  }
  norm("norm");
  linear("head", kClasses, kDim);
  std::filesystem::create_directories(folder);
  test::writeSafetensors(folder / "model.safetensors", tensors);
  test::writeBytes(folder / "config.json",
                   R"({"architecture": "vit_base_patch16_224", "num_classes": 1000})");
}

}  // namespace adamerge
