// SPDX-License-Identifier: GPL-3.0-or-later
// Rows of bf16 as the second operand of a tile product: products of rows with rows.
#pragma once

#include "engine/kernels/amx_kernels.h"
#include "engine/kernels/amx_tiles.h"
#include "engine/kernels/simd.h"

namespace adamerge {
namespace {

/// Pairs of bf16 as the tiles want them.
using Pair = std::uint32_t;

/// 16 pairs of a row of `width` elements from `first` on, zeros beyond its end.
inline Simd<Pair>::Vector loadPairs(const Half* row, std::ptrdiff_t first, std::ptrdiff_t width) {
  const std::ptrdiff_t left = width - first;
  Simd<Pair>::Vector pairs = {};
  // A copy of constant length is a load; others call for a loop.
  if (left >= 2 * kTileRows) {
    std::memcpy(&pairs, row + first, sizeof pairs);
  } else if (left > 0) {
    std::memcpy(&pairs, row + first, static_cast<std::size_t>(left) * sizeof(Half));
  }
  return pairs;
}

/// Up to 32 rows [rows, width] -> a panel of amxPadded(width) * 32 elements: for each 32 of the
/// width two tiles of 16 rows of `from`, in which a line holds one pair of elements of each. Zeros
/// where there are no rows.
inline void packTransposed(const Half* from, std::ptrdiff_t stride, std::ptrdiff_t rows,
                           std::ptrdiff_t width, Half* panel) {
  auto* to = reinterpret_cast<Pair*>(panel);
  for (std::ptrdiff_t step = 0; step < width; step += kAmxStep) {
    for (std::ptrdiff_t first = 0; first < kAmxPanel; first += kTileRows, to += kTileHalves / 2) {
      Simd<Pair>::Vector block[kTileRows];
#pragma GCC unroll 16
      for (std::ptrdiff_t row = 0; row < kTileRows; ++row) {
        block[row] = first + row < rows ? loadPairs(from + (first + row) * stride, step, width)
                                        : Simd<Pair>::Vector{};
      }
      transpose<Pair>(block);
#pragma GCC unroll 16
      for (std::ptrdiff_t row = 0; row < kTileRows; ++row) store(to + row * kTileRows, block[row]);
    }
  }
}

}  // namespace
}  // namespace adamerge
