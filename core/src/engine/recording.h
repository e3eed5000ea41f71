// SPDX-License-Identifier: GPL-3.0-or-later
// What is kept of one image's run for the lenses.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "adamerge/lenses.h"
#include "engine/image_state.h"

namespace adamerge {

class VisionTransformer;

/// One block.
struct BlockRecord {
  ImageState seen;                  ///< the attention's tokens
  std::optional<ImageState> entry;  ///< the block's, where those inside are restored after it
  std::vector<at::Tensor> inputs;   ///< per attention of the block what it reads, [N, D]
  std::vector<std::vector<std::int64_t>> keys;  ///< as MergePlan::keys
  at::Tensor output;                            ///< [N, D], the residual stream after the block
  std::optional<ImageState> after;
  /// Where attention runs in windows: the plan of each. `inputs` is then empty, but for the stream
  /// on entry to the first block.
  std::vector<MergePlan> windows = {};
};

struct Recording::State {
  std::shared_ptr<const VisionTransformer> network;  ///< that ran, with the method's weights
  std::vector<BlockRecord> blocks;
  TokenPosition position = TokenPosition::kCentroid;
  bool proportional = false;
  std::shared_ptr<const ClassMap> classes;  ///< of the dense head; nullptr: none

  mutable std::mutex mutex;  ///< of what follows
  mutable std::map<int, std::shared_ptr<const ComponentBasis>> components;
};

}  // namespace adamerge
