// SPDX-License-Identifier: GPL-3.0-or-later
// Products of rows with packed weights, on tiles.
#pragma once

#include "kernels/cpu/amx_tiles.h"
#include "kernels/cpu/row_ops.h"

namespace adamerge {
namespace {

constexpr std::ptrdiff_t kLine = 64 / sizeof(BFloat16);
/// Cache lines of a panel's weights that one step reads.
constexpr std::ptrdiff_t kStepLines = kTilePanel * kTileStep / kLine;

/// Sums of one block that still lack bias, activation and their way to memory.
struct Unfinished {
  const float* sums = nullptr;
  std::ptrdiff_t row = 0;
  std::ptrdiff_t rows = 0;
  std::ptrdiff_t column = 0;
  std::ptrdiff_t columns = 0;

  void finish(const Destination& to, std::ptrdiff_t first, std::ptrdiff_t last) const {
    for (std::ptrdiff_t m = first; m < last && m < rows; ++m) {
      finishRow(to, sums + m * kTilePanel, row + m, column, columns);
    }
  }
};

inline std::ptrdiff_t dividedUp(std::ptrdiff_t count, std::ptrdiff_t by) {
  return (count + by - 1) / by;
}

std::ptrdiff_t productScratch(std::ptrdiff_t k) {
  return kTileBlockRows * k * static_cast<std::ptrdiff_t>(sizeof(BFloat16));
}

void product(const std::uint16_t* x, std::ptrdiff_t x_stride, std::ptrdiff_t rows, std::ptrdiff_t k,
             const std::uint16_t* panels, std::ptrdiff_t first, std::ptrdiff_t last,
             std::ptrdiff_t columns, const Destination& to, void* scratch) {
  const Tiles tiles;
  auto* rest_rows = static_cast<BFloat16*>(scratch);
  alignas(64) float sums[2][kTileBlockRows * kTilePanel];
  // Tiles are full, so the rows that fill none are moved to where zeros follow them.
  const std::ptrdiff_t full = rows / kTileBlockRows * kTileBlockRows;
  const std::ptrdiff_t rest = rows - full;
  for (std::ptrdiff_t row = 0; rest > 0 && row < kTileBlockRows; ++row) {
    BFloat16* own = rest_rows + row * k;
    if (row < rest) {
      std::memcpy(own, x + (full + row) * x_stride, static_cast<std::size_t>(k) * sizeof(BFloat16));
    } else {
      std::memset(own, 0, static_cast<std::size_t>(k) * sizeof(BFloat16));
    }
  }
  const std::ptrdiff_t blocks = dividedUp(rows, kTileBlockRows);
  const std::ptrdiff_t steps = k / kTileStep;
  // While a block is multiplied, the one before it is finished, and the next panel is on its way
  // from memory; both in equal parts, since many requests at once would hold up the tiles' own.
  const std::ptrdiff_t rows_per_step = dividedUp(kTileBlockRows, steps);
  const std::ptrdiff_t lines_per_step = dividedUp(kStepLines, blocks);
  Unfinished before;
  for (std::ptrdiff_t panel = first; panel < last; ++panel) {
    const BFloat16* weights = panels + panel * kTilePanel * k;
    const std::ptrdiff_t column = panel * kTilePanel;
    const std::ptrdiff_t count = columns - column < kTilePanel ? columns - column : kTilePanel;
    const BFloat16* ahead = weights + kTilePanel * k;
    const std::ptrdiff_t asked = panel + 1 < last ? lines_per_step : 0;
    for (std::ptrdiff_t block = 0; block < blocks; ++block) {
      const std::ptrdiff_t row = block * kTileBlockRows;
      float* own = before.sums == sums[0] ? sums[1] : sums[0];
      const auto between = [&](std::ptrdiff_t step) {
        before.finish(to, step * rows_per_step, (step + 1) * rows_per_step);
        for (std::ptrdiff_t line = 0; line < asked; ++line, ahead += kLine) {
          __builtin_prefetch(ahead, 0, 2);
        }
      };
      const BFloat16* from = row < full ? x + row * x_stride : rest_rows;
      const std::ptrdiff_t stride = row < full ? x_stride : k;
      if (rows - row > kTileRows) {
        tileProduct<true>(from, stride, weights, 2 * kTileElements, steps, own, kTilePanel,
                          between);
      } else {
        tileProduct<false>(from, stride, weights, 2 * kTileElements, steps, own, kTilePanel,
                           between);
      }
      before = {own, row, rows - row < kTileBlockRows ? rows - row : kTileBlockRows, column, count};
    }
  }
  before.finish(to, 0, before.rows);
}

}  // namespace
}  // namespace adamerge
