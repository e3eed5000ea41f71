// SPDX-License-Identifier: GPL-3.0-or-later
// Where tokens lie: position tables at another grid, rotary angles and relative position bias of
// patches and, once patches have merged, of the tokens that stand for them. Formulas:
// merging-in-families, sections 4 and 5.
#pragma once

#include <ATen/ATen.h>

#include <span>
#include <vector>

#include "adamerge/methods.h"
#include "adamerge/model_info.h"
#include "engine/image_state.h"

namespace adamerge {

/// A position table [1, rows, d] as trained -> the rows of prefix tokens [prefix or 0, d] and of
/// the patches of `config`'s grid [patches, d], fp32.
struct PositionRows {
  at::Tensor prefix;
  at::Tensor patches;
};
PositionRows positionRows(const VitConfig& config, const at::Tensor& table);

/// The angles by which queries and keys turn.
class RotaryPositions {
 public:
  RotaryPositions() = default;
  /// `frequencies` [2, depth, heads, d_h / 2] for kMixed, `periods` [d_h / 4] where they are
  /// stored.
  RotaryPositions(const VitConfig& config, const at::Tensor& frequencies,
                  const at::Tensor& periods);

  bool defined() const { return parts_ > 0; }

  struct Table {
    at::Tensor cosines, sines;  ///< [tokens, heads or 1, d_h / 2] in `dtype` on the CPU
  };
  /// Of the tokens of all images, one below the other. Prefix tokens do not turn.
  Table of(std::span<const ImageState> images, int block, TokenPosition position,
           at::ScalarType dtype) const;

 private:
  /// Fills cosines and sines of the angles.
  void turn();
  const double* ofBlock(const std::vector<double>& table, int block) const;

  std::int64_t patches_ = 0;
  std::int64_t parts_ = 0;  ///< heads or 1, times d_h / 2
  std::int64_t heads_ = 1;
  bool per_block_ = false;
  std::vector<double> angles_, cosines_, sines_;  ///< [depth or 1, patches, parts]
};

/// A relative position table [rows, heads] of the window of `config` -> that of its grid, fp32.
at::Tensor resizedBiasTable(const VitConfig& config, const at::Tensor& table);
/// A table [rows, heads] of a grid -> the bias of each pair, [heads, 1 + patches, 1 + patches]
/// fp32.
at::Tensor pairBias(const at::Tensor& table, int grid_height, int grid_width);
/// Decomposed relative positions of a block's windows, [2 rows - 1 + 2 columns - 1, d / heads]
/// fp32: those of rows, then those of columns; in a block of one window resampled to the grid.
at::Tensor relativeTables(const VitConfig& config, int block, const at::Tensor& rows,
                          const at::Tensor& columns);

/// M B M^T: the mean of `bias` over the pairs of patches that two tokens stand for. [heads, N, N]
/// on the CPU, as is `bias`.
at::Tensor mergedBias(const at::Tensor& bias, const ImageState& image);

}  // namespace adamerge
