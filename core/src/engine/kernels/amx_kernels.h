// SPDX-License-Identifier: GPL-3.0-or-later
// The bf16 kernels, on AMX tiles with fp32 sums: only where bestIsa() is kAmx. A row's result
// depends on neither the number of rows nor the number of threads.
#pragma once

#include "engine/kernels/kernel_types.h"

namespace adamerge {

/// k is taken in steps of this many; rows of x and packed weights are filled up with zeros to it.
inline constexpr std::ptrdiff_t kAmxStep = 32;
/// Columns of a panel, see amxPack().
inline constexpr std::ptrdiff_t kAmxPanel = 32;

inline constexpr std::ptrdiff_t amxPadded(std::ptrdiff_t count) {
  return (count + kAmxStep - 1) / kAmxStep * kAmxStep;
}

/// weight [columns, k] fp32, adjacent -> amxPadded(columns) * amxPadded(k) bf16 in the order the
/// tiles are read: panels of 32 columns, in each steps of 32 k, in each two tiles of 16 columns,
/// in each 16 pairs of k, in each the 16 columns.
void amxPack(const float* weight, std::ptrdiff_t columns, std::ptrdiff_t k, std::uint16_t* packed);

/// Rows [0, rows) of x [rows, k] bf16 times panels [first, last), into columns [first * 32, ...) of
/// `to`, of which there are `columns`. k: a multiple of 32.
void amxProduct(const std::uint16_t* x, std::ptrdiff_t x_stride, std::ptrdiff_t rows,
                std::ptrdiff_t k, const std::uint16_t* panels, std::ptrdiff_t first,
                std::ptrdiff_t last, std::ptrdiff_t columns, const Destination& to,
                std::uint16_t* scratch);
/// bf16 elements, 64-byte aligned.
std::ptrdiff_t amxProductScratch(std::ptrdiff_t k);

/// bf16 in and out. `scratch`: amxAttentionScratch() bytes, 64-byte
/// aligned.
void amxAttention(const AttentionCall& call, void* scratch);
std::ptrdiff_t amxAttentionScratch(std::ptrdiff_t tokens, std::ptrdiff_t width);

/// x [rows, depth] fp32 as the sum of two matrices in bf16, filled up with zeros: rows [first,
/// last) of amxPadded(rows). `split`: amxSplitSize() elements, the high parts before the low ones.
void amxSplit(const float* x, std::ptrdiff_t stride, std::ptrdiff_t rows, std::ptrdiff_t depth,
              std::ptrdiff_t first, std::ptrdiff_t last, std::uint16_t* split);
std::ptrdiff_t amxSplitSize(std::ptrdiff_t rows, std::ptrdiff_t depth);

/// Columns [32 * panel, ...) of the dot products [n, n] of split rows with each other, from the top
/// to the diagonal, and the rows that mirror them. To 3 * 2^-16 of the rows' lengths. `scratch`:
/// amxGramScratch() bf16 elements, 64-byte aligned.
void amxGramPanel(const std::uint16_t* split, std::ptrdiff_t n, std::ptrdiff_t depth,
                  std::ptrdiff_t panel, float* out, std::uint16_t* scratch);
std::ptrdiff_t amxGramScratch(std::ptrdiff_t depth);

}  // namespace adamerge
