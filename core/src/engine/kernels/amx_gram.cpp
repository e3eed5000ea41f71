// SPDX-License-Identifier: GPL-3.0-or-later
// Dot products on the bf16 tiles with nearly the precision of fp32: x = high + low, and
// x y = high high + low high + high low. Each number is off by 2^-16 of itself at most and low low
// is as small, which makes 3 * 2^-16 of |x| |y|.
#include "engine/kernels/amx_kernels.h"
#include "engine/kernels/amx_transpose.h"

namespace adamerge {
namespace {

inline float toFloat(Half half) {
  const std::uint32_t bits = static_cast<std::uint32_t>(half) << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline Floats loadHalf(const Half* from) {
  const auto bits = loadAs<std::uint32_t>(from) << 16;
  return reinterpret_cast<Floats>(bits);
}

/// What of sums [32, 32] lies inside [n, n], and its mirror image.
void place(const float* sums, std::ptrdiff_t row, std::ptrdiff_t column, std::ptrdiff_t n,
           float* out) {
  const std::ptrdiff_t rows = n - row < kAmxRows ? n - row : kAmxRows;
  const std::ptrdiff_t columns = n - column < kAmxPanel ? n - column : kAmxPanel;
  if (row != column) {
    for (std::ptrdiff_t i = 0; i < rows; ++i) {
      std::memcpy(out + (row + i) * n + column, sums + i * kAmxPanel,
                  static_cast<std::size_t>(columns) * sizeof(float));
    }
    // A row block left of the last is full.
    for (std::ptrdiff_t j = 0; j < columns; j += kFloats) {
      for (std::ptrdiff_t i = 0; i < kAmxRows; i += kFloats) {
        Floats block[kFloats];
#pragma GCC unroll 16
        for (int k = 0; k < kFloats; ++k) block[k] = load(sums + (i + k) * kAmxPanel + j);
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
      const float sum = sums[i * kAmxPanel + j];
      out[(row + i) * n + column + j] = sum;
      out[(column + j) * n + row + i] = sum;
    }
  }
}

}  // namespace

std::ptrdiff_t amxSplitSize(std::ptrdiff_t rows, std::ptrdiff_t depth) {
  return 2 * amxPadded(rows) * amxPadded(depth);
}

void amxSplit(const float* x, std::ptrdiff_t stride, std::ptrdiff_t rows, std::ptrdiff_t depth,
              std::ptrdiff_t first, std::ptrdiff_t last, std::uint16_t* split) {
  const std::ptrdiff_t padded = amxPadded(depth);
  Half* low = split + amxPadded(rows) * padded;
  for (std::ptrdiff_t row = first; row < last; ++row) {
    Half* high_row = split + row * padded;
    Half* low_row = low + row * padded;
    std::ptrdiff_t i = 0;
    for (; row < rows && i + kFloats <= depth; i += kFloats) {
      const Floats value = load(x + row * stride + i);
      storeHalf(high_row + i, value);
      storeHalf(low_row + i, value - loadHalf(high_row + i));
    }
    for (; i < padded; ++i) {
      const float value = row < rows && i < depth ? x[row * stride + i] : 0.0F;
      high_row[i] = toHalf(value);
      low_row[i] = toHalf(value - toFloat(high_row[i]));
    }
  }
}

std::ptrdiff_t amxGramScratch(std::ptrdiff_t depth) { return 2 * kAmxPanel * amxPadded(depth); }

void amxGramPanel(const std::uint16_t* split, std::ptrdiff_t n, std::ptrdiff_t depth,
                  std::ptrdiff_t panel, float* out, std::uint16_t* scratch) {
  const Tiles tiles;
  const std::ptrdiff_t padded = amxPadded(depth);
  const std::ptrdiff_t steps = padded / kAmxStep;
  const Half* low = split + amxPadded(n) * padded;
  Half* high_panel = scratch;
  Half* low_panel = scratch + kAmxPanel * padded;
  const std::ptrdiff_t column = panel * kAmxPanel;
  packTransposed(split + column * padded, padded, kAmxPanel, padded, high_panel);
  packTransposed(low + column * padded, padded, kAmxPanel, padded, low_panel);
  alignas(64) float sums[kAmxRows * kAmxPanel];
  const auto idle = [](std::ptrdiff_t) {};
  for (std::ptrdiff_t row = 0; row <= column; row += kAmxRows) {
    const Half* own = split + row * padded;
    tileZero<true>();
    tileAccumulate<true>(own, padded, high_panel, 2 * kTileHalves, steps, idle);
    tileAccumulate<true>(low + row * padded, padded, high_panel, 2 * kTileHalves, steps, idle);
    tileAccumulate<true>(own, padded, low_panel, 2 * kTileHalves, steps, idle);
    tileStore<true>(sums, kAmxPanel);
    place(sums, row, column, n, out);
  }
}

}  // namespace adamerge
