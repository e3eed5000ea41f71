// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/amx_kernels.h"
#include "engine/kernels/amx_tiles.h"
#include "engine/kernels/epilogue.h"

namespace adamerge {
namespace {

constexpr std::ptrdiff_t kBlockRows = kAmxRows;
static_assert(kBlockRows == 2 * kTileRows);
constexpr std::ptrdiff_t kLine = 64 / sizeof(Half);
/// Cache lines of a panel's weights that one step reads.
constexpr std::ptrdiff_t kStepLines = kAmxPanel * kAmxStep / kLine;

/// Sums of one block that still lack bias, activation and their way to memory.
struct Unfinished {
  const float* sums = nullptr;
  std::ptrdiff_t row = 0;
  std::ptrdiff_t rows = 0;
  std::ptrdiff_t column = 0;
  std::ptrdiff_t columns = 0;

  void finish(const Destination& to, std::ptrdiff_t first, std::ptrdiff_t last) const {
    for (std::ptrdiff_t m = first; m < last && m < rows; ++m) {
      finishRow(to, sums + m * kAmxPanel, row + m, column, columns);
    }
  }
};

inline std::ptrdiff_t dividedUp(std::ptrdiff_t count, std::ptrdiff_t by) {
  return (count + by - 1) / by;
}

}  // namespace

void amxPack(const float* weight, std::ptrdiff_t columns, std::ptrdiff_t k, std::uint16_t* packed) {
  const std::ptrdiff_t padded_k = amxPadded(k);
  const std::ptrdiff_t padded_columns = amxPadded(columns);
  for (std::ptrdiff_t column = 0; column < padded_columns; ++column) {
    std::uint16_t* panel = packed + column / kAmxPanel * kAmxPanel * padded_k;
    const std::ptrdiff_t in_panel = column % kAmxPanel;
    for (std::ptrdiff_t i = 0; i < padded_k; ++i) {
      const std::ptrdiff_t at = i / kAmxStep * kAmxStep * kAmxPanel +
                                in_panel / kTileRows * kTileHalves + i % kAmxStep / 2 * kAmxPanel +
                                in_panel % kTileRows * 2 + i % 2;
      panel[at] = column < columns && i < k ? toHalf(weight[column * k + i]) : Half{0};
    }
  }
}

std::ptrdiff_t amxProductScratch(std::ptrdiff_t k) { return kBlockRows * k; }

void amxProduct(const std::uint16_t* x, std::ptrdiff_t x_stride, std::ptrdiff_t rows,
                std::ptrdiff_t k, const std::uint16_t* panels, std::ptrdiff_t first,
                std::ptrdiff_t last, std::ptrdiff_t columns, const Destination& to,
                std::uint16_t* scratch) {
  const Tiles tiles;
  alignas(64) float sums[2][kBlockRows * kAmxPanel];
  // Tiles are full, so the rows that fill none are moved to where zeros follow them.
  const std::ptrdiff_t full = rows / kBlockRows * kBlockRows;
  const std::ptrdiff_t rest = rows - full;
  for (std::ptrdiff_t row = 0; rest > 0 && row < kBlockRows; ++row) {
    Half* padded = scratch + row * k;
    if (row < rest) {
      std::memcpy(padded, x + (full + row) * x_stride, static_cast<std::size_t>(k) * sizeof(Half));
    } else {
      std::memset(padded, 0, static_cast<std::size_t>(k) * sizeof(Half));
    }
  }
  const std::ptrdiff_t blocks = dividedUp(rows, kBlockRows);
  const std::ptrdiff_t steps = k / kAmxStep;
  // While a block is multiplied, the one before it is finished, and the next panel is on its way
  // from memory; both in equal parts, since many requests at once would hold up the tiles' own.
  const std::ptrdiff_t rows_per_step = dividedUp(kBlockRows, steps);
  const std::ptrdiff_t lines_per_step = dividedUp(kStepLines, blocks);
  Unfinished before;
  for (std::ptrdiff_t panel = first; panel < last; ++panel) {
    const Half* weights = panels + panel * kAmxPanel * k;
    const std::ptrdiff_t column = panel * kAmxPanel;
    const std::ptrdiff_t count = columns - column < kAmxPanel ? columns - column : kAmxPanel;
    const Half* ahead = weights + kAmxPanel * k;
    const std::ptrdiff_t asked = panel + 1 < last ? lines_per_step : 0;
    for (std::ptrdiff_t block = 0; block < blocks; ++block) {
      const std::ptrdiff_t row = block * kBlockRows;
      float* own = before.sums == sums[0] ? sums[1] : sums[0];
      const auto between = [&](std::ptrdiff_t step) {
        before.finish(to, step * rows_per_step, (step + 1) * rows_per_step);
        for (std::ptrdiff_t line = 0; line < asked; ++line, ahead += kLine) {
          __builtin_prefetch(ahead, 0, 2);
        }
      };
      const Half* from = row < full ? x + row * x_stride : scratch;
      const std::ptrdiff_t stride = row < full ? x_stride : k;
      if (rows - row > kTileRows) {
        tileProduct<true>(from, stride, weights, 2 * kTileHalves, steps, own, kAmxPanel, between);
      } else {
        tileProduct<false>(from, stride, weights, 2 * kTileHalves, steps, own, kAmxPanel, between);
      }
      before = {own, row, rows - row < kBlockRows ? rows - row : kBlockRows, column, count};
    }
  }
  before.finish(to, 0, before.rows);
}

}  // namespace adamerge
