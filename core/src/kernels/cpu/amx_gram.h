// SPDX-License-Identifier: GPL-3.0-or-later
// Dot products on the bf16 tiles with nearly the precision of fp32: x = high + low, and
// x y = high high + low high + high low. Each number is off by 2^-16 of itself at most and low low
// is as small, which makes 3 * 2^-16 of |x| |y|.
#pragma once

#include "kernels/cpu/amx_tiles.h"

namespace adamerge {
namespace {

/// What of sums [32, 32] lies inside [n, n], and its mirror image.
void place(const float* sums, std::ptrdiff_t row, std::ptrdiff_t column, std::ptrdiff_t n,
           float* out) {
  const std::ptrdiff_t rows = n - row < kTileBlockRows ? n - row : kTileBlockRows;
  const std::ptrdiff_t columns = n - column < kTilePanel ? n - column : kTilePanel;
  if (row != column) {
    for (std::ptrdiff_t i = 0; i < rows; ++i) {
      std::memcpy(out + (row + i) * n + column, sums + i * kTilePanel,
                  static_cast<std::size_t>(columns) * sizeof(float));
    }
    // A row block left of the last is full.
    for (std::ptrdiff_t j = 0; j < columns; j += kFloats) {
      for (std::ptrdiff_t i = 0; i < kTileBlockRows; i += kFloats) {
        Floats block[kFloats];
#pragma GCC unroll 16
        for (int k = 0; k < kFloats; ++k) block[k] = load(sums + (i + k) * kTilePanel + j);
        transpose<float>(block);
        for (int k = 0; k < kFloats && j + k < columns; ++k) {
          store(out + (column + j + k) * n + row + i, block[k]);
        }
      }
    }
    return;
  }
  for (std::ptrdiff_t i = 0; i < rows; ++i) {
    for (std::ptrdiff_t j = i; j < columns; ++j) {
      const float sum = sums[i * kTilePanel + j];
      out[(row + i) * n + column + j] = sum;
      out[(column + j) * n + row + i] = sum;
    }
  }
}

std::ptrdiff_t splitSize(std::ptrdiff_t rows, std::ptrdiff_t depth) {
  return 2 * padded(rows) * padded(depth);
}

void split(const float* x, std::ptrdiff_t stride, std::ptrdiff_t rows, std::ptrdiff_t depth,
           std::ptrdiff_t first, std::ptrdiff_t last, std::uint16_t* parts) {
  const std::ptrdiff_t whole = padded(depth);
  BFloat16* low = parts + padded(rows) * whole;
  for (std::ptrdiff_t row = first; row < last; ++row) {
    BFloat16* high_row = parts + row * whole;
    BFloat16* low_row = low + row * whole;
    std::ptrdiff_t i = 0;
    for (; row < rows && i + kFloats <= depth; i += kFloats) {
      const Floats value = load(x + row * stride + i);
      storeBFloat16(high_row + i, value);
      storeBFloat16(low_row + i, value - loadBFloat16(high_row + i));
    }
    for (; i < whole; ++i) {
      const float value = row < rows && i < depth ? x[row * stride + i] : 0.0F;
      high_row[i] = toBFloat16(value);
      low_row[i] = toBFloat16(value - toFloat(high_row[i]));
    }
  }
}

std::ptrdiff_t gramScratch(std::ptrdiff_t depth) {
  return 2 * kTilePanel * padded(depth) * static_cast<std::ptrdiff_t>(sizeof(BFloat16));
}

void gramPanel(const std::uint16_t* parts, std::ptrdiff_t n, std::ptrdiff_t depth,
               std::ptrdiff_t panel, float* out, void* scratch) {
  const Tiles tiles;
  const std::ptrdiff_t whole = padded(depth);
  const std::ptrdiff_t steps = whole / kTileStep;
  const BFloat16* low = parts + padded(n) * whole;
  auto* high_panel = static_cast<BFloat16*>(scratch);
  BFloat16* low_panel = high_panel + kTilePanel * whole;
  const std::ptrdiff_t column = panel * kTilePanel;
  packTransposed<TileBlocks>(parts + column * whole, whole, kTilePanel, whole, high_panel);
  packTransposed<TileBlocks>(low + column * whole, whole, kTilePanel, whole, low_panel);
  alignas(64) float sums[kTileBlockRows * kTilePanel];
  const auto idle = [](std::ptrdiff_t) {};
  for (std::ptrdiff_t row = 0; row <= column; row += kTileBlockRows) {
    const BFloat16* own = parts + row * whole;
    tileZero<true>();
    tileAccumulate<true>(own, whole, high_panel, 2 * kTileElements, steps, idle);
    tileAccumulate<true>(low + row * whole, whole, high_panel, 2 * kTileElements, steps, idle);
    tileAccumulate<true>(own, whole, low_panel, 2 * kTileElements, steps, idle);
    tileStore<true>(sums, kTilePanel);
    place(sums, row, column, n, out);
  }
}

}  // namespace
}  // namespace adamerge
