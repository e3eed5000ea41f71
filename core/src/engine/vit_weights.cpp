// SPDX-License-Identifier: GPL-3.0-or-later
// How the named tensors become a VisionTransformer.
#include <fmt/format.h>

#include "engine/vit.h"
#include "kernels/cpu/kernel_tables.h"

namespace adamerge {
namespace {

/// [1, tokens, d] as trained -> [prefix or 0 rows, d] and [patches, d] for the grid of `config`, as
/// timm's resample_abs_pos_embed does. fp32.
struct Positions {
  at::Tensor prefix;
  at::Tensor patches;
};

Positions resampledPositions(const VitConfig& config, const at::Tensor& embedding) {
  at::Tensor rows = embedding.to(at::kFloat).squeeze(0);
  const std::int64_t covered = config.position_covers_prefix ? config.prefixTokens() : 0;
  Positions positions{rows.narrow(0, 0, covered), rows.narrow(0, covered, rows.size(0) - covered)};
  if (config.gridHeight() == config.position_grid_height &&
      config.gridWidth() == config.position_grid_width) {
    return positions;
  }
  const at::Tensor grid =
      positions.patches
          .reshape({1, config.position_grid_height, config.position_grid_width, config.dim})
          .permute({0, 3, 1, 2})
          .contiguous();
  positions.patches = at::_upsample_bicubic2d_aa(grid, {config.gridHeight(), config.gridWidth()},
                                                 /*align_corners=*/false)
                          .permute({0, 2, 3, 1})
                          .reshape({config.patchTokens(), config.dim});
  return positions;
}

}  // namespace

VisionTransformer::VisionTransformer(const VitConfig& config, const StateDict& weights,
                                     at::Device device, at::ScalarType dtype)
    : config_(config),
      device_(device),
      dtype_(dtype),
      stream_dtype_(device.is_cpu() && dtype == at::kBFloat16 && halfKernels() != nullptr
                        ? at::kFloat
                        : dtype) {
  const c10::InferenceMode guard;
  // The source may be a mapped file that somebody rewrites later, so the copy is always made.
  const auto place = [&](const at::Tensor& tensor, at::ScalarType type) {
    return tensor.to(at::TensorOptions().device(device).dtype(type), /*non_blocking=*/false,
                     /*copy=*/true);
  };
  const auto take = [&](const std::string& name, at::ScalarType type) {
    const auto found = weights.find(name);
    return found == weights.end() ? at::Tensor() : place(found->second, type);
  };
  const auto linear = [&](const std::string& name) {
    return PackedLinear(take(name + ".weight", dtype), take(name + ".bias", dtype));
  };
  // LayerScale multiplies what a layer adds to the stream, which is a matter of its weights.
  const auto scaled = [&](const std::string& name, const std::string& scale) {
    const auto found = weights.find(scale);
    if (found == weights.end()) return linear(name);
    const at::ScalarType exact = dtype == at::kDouble ? at::kDouble : at::kFloat;
    const at::Tensor gamma = found->second.to(exact);
    const at::Tensor bias = take(name + ".bias", exact);
    return PackedLinear(place(take(name + ".weight", exact) * gamma.unsqueeze(1), dtype),
                        bias.defined() ? place(bias * gamma, dtype) : bias);
  };
  const auto norm = [&](const std::string& name) {
    return LayerNorm{take(name + ".weight", stream_dtype_), take(name + ".bias", stream_dtype_),
                     config.norm_epsilon};
  };

  const at::Tensor kernel = take("patch_embed.proj.weight", dtype);
  patch_ = PackedLinear(kernel.reshape({kernel.size(0), -1}), take("patch_embed.proj.bias", dtype));

  const Positions positions = resampledPositions(config, weights.find("pos_embed")->second);
  position_ = place(positions.patches, stream_dtype_);
  std::vector<at::Tensor> prefix;
  for (const char* name : {"cls_token", "dist_token", "reg_token"}) {
    if (const auto found = weights.find(name); found != weights.end()) {
      prefix.push_back(found->second.to(at::kFloat).reshape({-1, config.dim}));
    }
  }
  if (!prefix.empty()) {
    at::Tensor tokens = at::cat(prefix);
    if (config.position_covers_prefix) tokens = tokens + positions.prefix;
    prefix_ = place(tokens, stream_dtype_);
  }

  pre_norm_ = norm("norm_pre");
  norm_ = norm("norm");
  fc_norm_ = norm("fc_norm");
  head_ = linear("head");
  head_dist_ = linear("head_dist");
  for (int index = 0; index < config.depth; ++index) {
    const std::string base = fmt::format("blocks.{}.", index);
    Block block;
    block.norm1 = norm(base + "norm1");
    block.norm2 = norm(base + "norm2");
    block.q_norm = norm(base + "attn.q_norm");
    block.k_norm = norm(base + "attn.k_norm");
    block.qkv = linear(base + "attn.qkv");
    block.proj = scaled(base + "attn.proj", base + "ls1.gamma");
    block.fc1 = linear(base + "mlp.fc1");
    block.fc2 = scaled(base + "mlp.fc2", base + "ls2.gamma");
    blocks_.push_back(std::move(block));
  }
}

}  // namespace adamerge
