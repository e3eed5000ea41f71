// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/amx_kernels.h"
#include "engine/kernels/amx_tiles.h"
#include "engine/kernels/epilogue.h"

namespace adamerge {
namespace {

constexpr std::ptrdiff_t kBlockRows = 2 * kTileRows;

/// Asks for part `index` of `parts` of a panel, so that it is on its way from memory while another
/// is multiplied.
inline void prefetchPart(const Half* panel, std::ptrdiff_t elements, std::ptrdiff_t index,
                         std::ptrdiff_t parts) {
  constexpr std::ptrdiff_t kLine = 64 / sizeof(Half);
  const std::ptrdiff_t lines = elements / kLine;
  const std::ptrdiff_t end = lines * (index + 1) / parts;
  for (std::ptrdiff_t line = lines * index / parts; line < end; ++line) {
    __builtin_prefetch(panel + line * kLine, 0, 2);
  }
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
  alignas(64) float sums[kBlockRows * kAmxPanel];
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
  const std::ptrdiff_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  const std::ptrdiff_t steps = k / kAmxStep;
  for (std::ptrdiff_t panel = first; panel < last; ++panel) {
    const std::uint16_t* weights = panels + panel * kAmxPanel * k;
    const std::ptrdiff_t column = panel * kAmxPanel;
    const std::ptrdiff_t count = columns - column < kAmxPanel ? columns - column : kAmxPanel;
    for (std::ptrdiff_t block = 0; block < blocks; ++block) {
      if (panel + 1 < last) prefetchPart(weights + kAmxPanel * k, kAmxPanel * k, block, blocks);
      const std::ptrdiff_t row = block * kBlockRows;
      const std::ptrdiff_t block_rows = row < full ? kBlockRows : rest;
      if (row < full) {
        tileProduct<true>(x + row * x_stride, x_stride, weights, 2 * kTileHalves, steps, sums,
                          kAmxPanel);
      } else if (rest > kTileRows) {
        tileProduct<true>(scratch, k, weights, 2 * kTileHalves, steps, sums, kAmxPanel);
      } else {
        tileProduct<false>(scratch, k, weights, 2 * kTileHalves, steps, sums, kAmxPanel);
      }
      for (std::ptrdiff_t m = 0; m < block_rows; ++m) {
        finishRow(to, sums + m * kAmxPanel, row + m, column, count);
      }
    }
  }
}

}  // namespace adamerge
