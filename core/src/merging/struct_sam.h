// SPDX-License-Identifier: GPL-3.0-or-later
// The steps of StructSAM (arXiv 2603.07307): which tokens of a grid merge into which, by the
// gradient of a metric over it.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "merging/plan.h"

namespace adamerge {

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
