// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's plain Vision Transformer once more, with gradients: class token, learned positions,
// pre-norm blocks, timm's tensor names. Weights, residual stream, norms and logits are fp32;
// matrix products are made in the dtype asked for, as autocast does.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "adamerge/model_info.h"
#include "merging.h"
#include "random.h"
#include "weights/state_dict.h"

namespace adamerge::training {

struct Parameter {
  std::string name;  ///< timm's
  at::Tensor value;  ///< fp32 leaf with a gradient
  bool decays;       ///< matrices do; biases, norms, class token and positions do not
};

/// What a training step leaves out; undefined tensors leave nothing out.
struct Dropped {
  at::Tensor kept_patches;  ///< [batch, kept], int64: the patches that enter, different in a row
  at::Tensor branches;      ///< [2 * depth, batch]: factors of the residual branches
};

class TrainableVit {
 public:
  /// Initialised as timm does it: normal with deviation 0.02, biases 0, the patch embedding uniform
  /// within 1 / sqrt(fan in).
  TrainableVit(const VitConfig& config, Random& random, at::Device device);

  /// `images` [batch, 3, height, width], fp32, normalised -> logits [batch, classes], fp32.
  /// `attention`, where given, gets each block's softmax [batch, heads, tokens, tokens].
  at::Tensor forward(const at::Tensor& images, at::ScalarType dtype, const Dropped& dropped = {},
                     std::vector<at::Tensor>* attention = nullptr,
                     const TokenMerging& merging = {}) const;

  const VitConfig& config() const { return config_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  struct Layer {  ///< a linear map or a norm
    at::Tensor weight;
    at::Tensor bias;
  };
  struct Block {
    Layer norm1, qkv, proj, norm2, fc1, fc2;
    at::Tensor scale1, scale2;  ///< of the branches, where there is a layer scale
  };
  at::Tensor add(const std::string& name, const at::Tensor& value);
  Layer addLinear(const std::string& name, int out, int in, Random& random);
  Layer addNorm(const std::string& name);
  at::Tensor normalise(const at::Tensor& x, const Layer& norm) const;
  at::Tensor embed(const at::Tensor& images, at::ScalarType dtype, const at::Tensor& kept) const;
  /// What attention adds to `x`; `keys`, where given, gets their mean over the heads. `bias`: of
  /// the logits, `change`: of the qkv weight; undefined: none.
  at::Tensor attend(const Block& block, const at::Tensor& x, const at::Tensor& bias,
                    at::ScalarType dtype, const at::Tensor& change,
                    std::vector<at::Tensor>* attention, at::Tensor* keys) const;

  VitConfig config_;
  at::Device device_;
  std::vector<Parameter> parameters_;
  at::Tensor class_token_, positions_;
  Layer patches_, norm_, head_;
  std::vector<Block> blocks_;
};

/// The weights under timm's names, sharing their storage with the network.
StateDict weightsOf(const TrainableVit& vit);
/// Copies those of `weights` that the network has. Throws c10::Error for another shape.
void copyWeights(const StateDict& weights, const TrainableVit& vit);

}  // namespace adamerge::training
