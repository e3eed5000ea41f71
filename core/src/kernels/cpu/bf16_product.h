// SPDX-License-Identifier: GPL-3.0-or-later
// The kernels whose sums stay in registers: products of rows with packed weights over a kernel's
// Blocks, see bf16_attention.h, and their table.
#pragma once

#include "kernels/cpu/bf16_blocks.h"
#include "kernels/cpu/kernel_tables.h"
#include "kernels/cpu/row_ops.h"

namespace adamerge {
namespace {

template <class Blocks>
void product(const std::uint16_t* x, std::ptrdiff_t x_stride, std::ptrdiff_t rows, std::ptrdiff_t k,
             const std::uint16_t* panels, std::ptrdiff_t first, std::ptrdiff_t last,
             std::ptrdiff_t columns, const Destination& to, void*) {
  constexpr std::ptrdiff_t kPanel = Blocks::kPanel;
  alignas(64) float sums[Blocks::kRows * kPanel];
  for (std::ptrdiff_t panel = first; panel < last; ++panel) {
    const std::ptrdiff_t column = panel * kPanel;
    const std::ptrdiff_t count = columns - column < kPanel ? columns - column : kPanel;
    for (std::ptrdiff_t row = 0; row < rows; row += Blocks::kRows) {
      const std::ptrdiff_t block = rows - row < Blocks::kRows ? rows - row : Blocks::kRows;
      if (to.store == Store::kAddFloat) {
        for (std::ptrdiff_t m = 0; m < block; ++m) {
          const float* own = static_cast<const float*>(to.data) + (row + m) * to.stride + column;
          for (std::ptrdiff_t i = 0; i < count; i += kFloats) __builtin_prefetch(own + i, 1);
        }
      }
      Blocks::product(x + row * x_stride, x_stride, block, k, panels + panel * k * kPanel, count,
                      sums, kPanel);
      for (std::ptrdiff_t m = 0; m < block; ++m) {
        finishRow(to, sums + m * kPanel, row + m, column, count);
      }
    }
  }
}

inline std::ptrdiff_t noScratch(std::ptrdiff_t) { return 0; }

template <class Blocks>
constexpr HalfKernels registerKernels() {
  return {.step = Blocks::kStep,
          .panel = Blocks::kPanel,
          .rows = Blocks::kRows,
          .pack = pack<Blocks>,
          .product = product<Blocks>,
          .productScratch = noScratch,
          .attention = attendHead<Blocks>,
          .attentionScratch = attentionScratch<Blocks>,
          .gram = nullptr};
}

}  // namespace
}  // namespace adamerge
