// SPDX-License-Identifier: GPL-3.0-or-later
// Token Compensator (ToCom, arXiv 2408.06798): weights beside ToMe that repair what changes when a
// model runs with another count of merges than it was trained with. Its maps have no activation, so
// for a pair of counts they are exactly a change of the query and value weights.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>
#include <vector>

#include "adamerge/model_info.h"

namespace adamerge {

class Compensator {
 public:
  static constexpr int kDegrees = 16;  ///< largest count per block that it knows

  /// Reads `blocks.N.attn.q_tocom.adapter_down.weight` [rank, d], `.adapter_up.weight` [d, rank]
  /// and the same of v_tocom: bare in safetensors, or a checkpoint's dict `model`. The rank is a
  /// multiple of 16. Throws Error where the file is none or does not fit the model.
  Compensator(const std::filesystem::path& path, const VitConfig& vit);

  /// Per block what is added to its qkv weight [3 d, d], fp64, for a model trained with `source`
  /// merges per block that runs with `target`; empty where they are equal.
  std::vector<at::Tensor> changes(int source, int target, double scale) const;

 private:
  struct Map {
    at::Tensor down;  ///< [rank, d] fp64
    at::Tensor up;    ///< [d, rank] fp64
  };
  struct Block {
    Map q;
    Map v;
  };
  std::vector<Block> blocks_;
};

}  // namespace adamerge
