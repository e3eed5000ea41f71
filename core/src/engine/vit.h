// SPDX-License-Identifier: GPL-3.0-or-later
// A plain Vision Transformer (Dosovitskiy et al., ICLR 2021; timm's `VisionTransformer`) that runs
// over packed tokens: those of all images stand one below the other, [total tokens, d], so that
// each image may keep a different number and the matrix products still see the whole batch.
#pragma once

#include <ATen/ATen.h>

#include <stop_token>
#include <vector>

#include "adamerge/model_info.h"
#include "engine/image_state.h"
#include "engine/kernels/packed_linear.h"
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
  using Linear = PackedLinear;
  struct Norm {
    at::Tensor weight;  ///< undefined: the identity
    at::Tensor bias;
  };
  struct Block {
    Norm norm1, norm2, q_norm, k_norm;
    Linear qkv, proj, fc1, fc2;
    at::Tensor scale1, scale2;  ///< LayerScale, undefined: none
  };
  /// Packed tokens with the images they belong to, in order.
  struct Pack {
    at::Tensor tokens;
    std::vector<ImageState> images;
    std::vector<std::int64_t> rows() const;  ///< tokens of each image
  };

  /// `linear` over packed rows, `rows` of them for each image.
  at::Tensor project(const Linear& linear, const at::Tensor& x,
                     const std::vector<std::int64_t>& rows) const;
  at::Tensor embed(const at::Tensor& images) const;
  at::Tensor normalise(const at::Tensor& x, const Norm& norm) const;
  at::Tensor activate(const at::Tensor& x) const;
  /// Returns the attention's output; `metric` gets the mean over heads of the keys where wanted.
  /// With `trace`, each image notes where its class token looks.
  at::Tensor attention(const Block& block, Pack& pack, bool proportional, at::Tensor* metric,
                       bool trace) const;
  void merge(Pack& pack, int block, const MergeMethod& method, const at::Tensor& metric,
             bool trace) const;
  at::Tensor classify(const at::Tensor& features) const;

  VitConfig config_;
  at::Device device_;
  at::ScalarType dtype_;
  Linear patch_;
  at::Tensor prefix_;    ///< [prefix, d], position embedding already added where it covers them
  at::Tensor position_;  ///< [patches, d]
  Norm pre_norm_, norm_, fc_norm_;
  std::vector<Block> blocks_;
  Linear head_, head_dist_;
};

}  // namespace adamerge
