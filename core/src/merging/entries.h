// SPDX-License-Identifier: GPL-3.0-or-later
// What the methods' files give: an entry each, which registry.cpp lists, and the steps of a method
// that can be looked at one by one.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "adamerge/model_info.h"
#include "adamerge/result.h"
#include "merging/method.h"

namespace adamerge {

MethodEntry noneEntry();
MethodEntry adaMergeEntry();
MethodEntry adaMergePlusEntry();
MethodEntry toMeEntry();
MethodEntry piToMeEntry();
MethodEntry toFuEntry();
MethodEntry dsmEntry();
MethodEntry atcEntry();
MethodEntry pptEntry();
MethodEntry pruneSidEntry();
MethodEntry cubistMergeEntry();
MethodEntry structSamEntry();
MethodEntry pruneMergeEntry();
MethodEntry focusEntry();

/// AdaMerge under any settings, for the methods that are named after one choice of them. `settings`
/// are complete. Throws Error where counts do not suit the model.
std::unique_ptr<MergeMethod> makeAdaMerge(const Settings& settings, const MethodContext& context);

// ATC's bottom-up clustering (Haurum et al., Agglomerative Token Clustering, ECCV 2024, Sec. 3).

enum class Linkage { kAverage, kComplete, kSingle };

struct Clustering {
  std::vector<std::int64_t> cluster;  ///< per member the lowest member of its cluster
  std::vector<ClusterJoin> joins;     ///< in the order in which they were made
};

/// Joins the two clusters of least distance until `count` are left; of equal distances the pair
/// with the lowest first, then the lowest second lowest member. `distances`: symmetric [n, n], row
/// by row, finite. `whole_tree`: `joins` go on to the root.
/// Throws Cancelled; see StopWithin.
Clustering clustered(std::vector<double> distances, std::int64_t n, Linkage linkage,
                     std::int64_t count, bool whole_tree = false);

// The step of CubistMerge: tokens merge within lines, the same number in each, so that a smaller
// grid is left (arXiv 2509.21764, Sec. 3).

struct MergedLines {
  at::Tensor tokens;  ///< [lines, length - r, d], what is left keeps its order
  std::vector<std::vector<std::int64_t>> kept;    ///< of each line, positions in it, ascending
  std::vector<std::vector<PlannedMerge>> merges;  ///< of each line, ascending in the source
};

/// In each line of `tokens` [lines, length, d] the r odd tokens that are most like a neighbour
/// (cosine, of equals the left one; then the lowest position) go into it; r is clamped to
/// floor(length / 2). Per channel the value of largest magnitude remains, of equals the
/// destination's, then the lowest position's.
MergedLines mergeLines(const at::Tensor& tokens, std::int64_t r);

// The steps of Focus on the Core (arXiv 2406.01283): fuzzy pruning of keys, and combination tokens.

struct FuzzyPruning {
  std::vector<std::vector<std::int64_t>> stay;     ///< per head, ascending
  std::optional<std::array<double, 2>> quartiles;  ///< a and b, where the rule is fuzzy
};

/// Which keys stay. `scores`: per head one for each key; `left`: per head the keys still in,
/// ascending, at least one. Fuzzy: keys above a + 0.1 (b - a) are protected, a and b the quartiles
/// of the scores of all heads' keys, and of the others `percent` with the highest scores stay;
/// plain: `percent` of all of them do. Lowest key of equals first; at least one of each head stays.
FuzzyPruning fuzzyPruning(const std::vector<std::vector<double>>& scores,
                          const std::vector<std::vector<std::int64_t>>& left, int percent,
                          bool fuzzy);

struct Combination {
  std::vector<std::int64_t> seeds;  ///< ascending
  std::vector<std::int64_t> group;  ///< per token, the seed that takes it in; a seed takes itself
  std::vector<double> similarity;   ///< per token, to that seed
};

/// `tokens` [n, d], `count` 1 ... n - 1 of them become seeds: `first`, then greedily the one whose
/// cosine to its nearest seed is least. Every other one goes to the seed that is most like it.
/// Tokens are normalised as by a LayerNorm without weights, in fp64; lowest position of equals.
Combination combination(const at::Tensor& tokens, std::int64_t count, std::int64_t first);

// What Prune and Merge (arXiv 2503.23455) lays out once for a model: which tokens of a block go
// together, with which weights, and which stay aside.

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

// PruneSID's share of each group of tokens (more-methods, section 1, step 6).

/// Tokens kept of each group, `keep` in all: at least one of each that has any, else by how many
/// were `taken` before suppression ended. `sizes` add up to more than `keep`.
std::vector<int> groupQuotas(const std::vector<int>& sizes, const std::vector<int>& taken,
                             int keep);

// The steps of StructSAM (arXiv 2603.07307): which tokens of a grid merge into which, by the
// gradient of a metric over it.

enum class GridGradient {
  kCentral,  ///< half differences, edges replicated
  kSobel     ///< 3 x 3, zeros beyond the edges
};

/// Size of the gradient of `metric` [height, width, channels] at each token, in fp64, raster order:
/// the root of the sum over the channels (kSobel: of the mean) of gx^2 + gy^2.
std::vector<double> gradientEnergy(const at::Tensor& metric, GridGradient gradient);

struct StructSamRule {
  GridGradient gradient = GridGradient::kCentral;
  int cell = 2;    ///< side of a cell
  int flat = 100;  ///< per cent of the cells, the flattest, that take part
  int ratio = 50;  ///< per cent of the tokens that merge, as far as there are sources
};

/// Of prompts: which tokens they protect with the cells that these lie in, and what that means for
/// the others.
struct StructSamPrompts {
  std::vector<char> tokens = {};  ///< of the grid, 1: prompted; empty: none
  bool outside = false;           ///< all cells without one take part, however flat
};

struct StructSamMerges {
  std::vector<double> energy;        ///< per token
  std::vector<int> cells;            ///< taking part, ascending, numbered in raster order
  std::vector<PlannedMerge> merges;  ///< ascending in the source; positions in the grid
  std::vector<int> prompted;         ///< tokens of cells with a prompt
  double macs = 0;                   ///< of the similarities
};

/// `metric`: [height, width, channels]. Cells run from the upper left and are smaller at the right
/// and lower edge where `cell` does not divide the grid. In each the token of least energy is the
/// destination; every other one goes into the destination, of any cell, that is most like it.
StructSamMerges structSamMerges(const at::Tensor& metric, const StructSamRule& rule,
                                const StructSamPrompts& prompts = {});

}  // namespace adamerge
