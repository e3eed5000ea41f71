// SPDX-License-Identifier: GPL-3.0-or-later
// A plain Vision Transformer (Dosovitskiy et al., ICLR 2021; timm's `VisionTransformer`) that runs
// over packed tokens: those of all images stand one below the other, [total tokens, d], so that
// each image may keep a different number and the matrix products still see the whole batch.
//
// In bf16 on the CPU the residual stream stays in fp32: it costs little beside the products, merges
// are decided on it, and twelve blocks of sums in eight bits would lose more than the products do.
#pragma once

#include <ATen/ATen.h>

#include <stop_token>
#include <vector>

#include "adamerge/model_info.h"
#include "engine/image_state.h"
#include "engine/kernels/layer_norm.h"
#include "engine/kernels/packed_linear.h"
#include "engine/kernels/padding.h"
#include "merging/method.h"
#include "weights/state_dict.h"

namespace adamerge {

class VisionTransformer {
 public:
  /// Copies `weights` (timm's names, complete and checked) to the device in `dtype`; the position
  /// embedding is resampled to the input's grid (bicubic, antialiased).
  VisionTransformer(const VitConfig& config, const StateDict& weights, at::Device device,
                    at::ScalarType dtype);

  struct Output {
    at::Tensor logits;               ///< [B, classes] fp32 on the CPU; pooled features without head
    std::vector<ImageState> images;  ///< B
    std::vector<at::Tensor> features;  ///< B of [N_i, d]: normalised tokens before pooling
  };

  /// `images`: [B, 3, H, W] fp32. Throws Cancelled between blocks.
  Output forward(const at::Tensor& images, const MergeMethod& method, bool trace,
                 const std::stop_token& stop = {}) const;

  const VitConfig& config() const { return config_; }
  at::Device device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }

 private:
  struct Block {
    LayerNorm norm1, norm2, q_norm, k_norm;
    PackedLinear qkv, proj, fc1, fc2;  ///< LayerScale is in proj and fc2
  };
  /// Packed tokens with the images they belong to, in order.
  struct Pack {
    at::Tensor tokens;
    std::vector<ImageState> images;
  };

  at::Tensor embed(const at::Tensor& images) const;
  /// What the attention adds to the residual stream, before its projection; `metric` gets the mean
  /// over heads of the keys where wanted. With `trace`, each image notes where its class token
  /// looks.
  at::Tensor attend(const Block& block, Pack& pack, bool proportional, at::Tensor* metric,
                    bool trace) const;
  void merge(Pack& pack, int block, const MergeMethod& method, const at::Tensor& metric,
             bool trace) const;
  /// One image's features [N, d] -> what the classifier takes, [1, d or 2 d].
  at::Tensor pool(const at::Tensor& features) const;
  /// The same for all images, [B, longest, d] -> a row per image.
  at::Tensor poolAll(const at::Tensor& padded, const Padding& padding) const;
  /// `pooled` and, where there is a distillation token, its features, a row per image -> logits.
  at::Tensor classify(const at::Tensor& pooled, const at::Tensor& distilled) const;
  /// In which merges are decided.
  at::ScalarType deciding() const;

  VitConfig config_;
  at::Device device_;
  at::ScalarType dtype_;         ///< of weights and products
  at::ScalarType stream_dtype_;  ///< of the residual stream
  PackedLinear patch_;
  at::Tensor prefix_;    ///< [prefix, d], position embedding already added where it covers them
  at::Tensor position_;  ///< [patches, d]
  LayerNorm pre_norm_, norm_, fc_norm_;
  std::vector<Block> blocks_;
  PackedLinear head_, head_dist_;
};

}  // namespace adamerge
