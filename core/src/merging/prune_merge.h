// SPDX-License-Identifier: GPL-3.0-or-later
// What Prune and Merge (arXiv 2503.23455) lays out once for a model: which tokens of a block go
// together, with which weights, and which stay aside.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <span>
#include <vector>

#include "adamerge/model_info.h"

namespace adamerge {

/// One block's groups, over the positions of the patch grid in raster order.
struct SegmentedBlock {
  int block = 0;
  std::vector<int> centres;       ///< ascending
  std::vector<int> segments;      ///< per position the number of its centre
  std::vector<int> pruned;        ///< positions, ascending: they skip the block
  std::vector<double> weights;    ///< per position, w in y_g = sum of w_j x_j; 0: pruned
  std::vector<double> restoring;  ///< per position, its share of z_g: w_j / sum of w_k^2
};

/// `scores` [depth][patches]; `keep` and `prune` in per cent, together at most 100; `width` of the
/// grid. Over all `blocks` together the highest scores become centres and the lowest are pruned.
std::vector<SegmentedBlock> segmentBlocks(std::span<const std::vector<double>> scores,
                                          std::span<const int> blocks, int keep, int prune,
                                          int width);

/// The authors' trained matrices of one block: y = merge x, x <- recover block(y) + rest.
struct TrainedMatrices {
  int block = 0;
  at::Tensor merge;    ///< [inside, N] fp64
  at::Tensor recover;  ///< [N, inside] fp64
  at::Tensor rest;     ///< [N] fp64: what of each token goes past the block, 1 - mask
};

/// Reads `blocks.N.attn.merge_matrix`, `.recover_matrix` and `.token_mask` of the blocks that have
/// them. Throws Error where the file has none, lacks one of three, or they do not fit the model.
std::vector<TrainedMatrices> readTrainedMatrices(const std::filesystem::path& path,
                                                 const VitConfig& vit);

}  // namespace adamerge
