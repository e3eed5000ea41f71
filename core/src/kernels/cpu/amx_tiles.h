// SPDX-License-Identifier: GPL-3.0-or-later
// Two by two tiles of sums: what every product on AMX is made of.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/bf16_panels.h"
#include "kernels/cpu/kernel_tables.h"
#include "kernels/cpu/simd.h"

namespace adamerge {
namespace {

constexpr std::ptrdiff_t kTileRows = 16;
constexpr std::ptrdiff_t kTileElements = 16 * 32;  ///< bf16, of a full tile
/// See HalfKernels.
constexpr std::ptrdiff_t kTileStep = 32;
constexpr std::ptrdiff_t kTilePanel = 32;
static_assert(kTileBlockRows == 2 * kTileRows && kTileStep == kTilePanel);

/// To whole steps, or panels.
inline constexpr std::ptrdiff_t padded(std::ptrdiff_t count) {
  return (count + kTileStep - 1) / kTileStep * kTileStep;
}

/// The calling thread's tiles, all of 16 rows of 64 bytes, for as long as this lives.
class Tiles {
 public:
  Tiles() {
    struct {
      std::uint8_t palette = 1;
      std::uint8_t start_row = 0;
      std::uint8_t reserved[14] = {};
      std::uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } const configuration;
    _tile_loadconfig(&configuration);
  }
  ~Tiles() { _tile_release(); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

template <bool kTwoRowTiles>
inline void tileZero() {
  _tile_zero(0);
  _tile_zero(1);
  if constexpr (kTwoRowTiles) {
    _tile_zero(2);
    _tile_zero(3);
  }
}

/// Adds a [16 or 32, 32 * steps] b to the sums, where b is `steps` pairs of tiles of 16 columns
/// each, `b_step` elements from pair to pair. between(step) is called after each step: the tiles
/// multiply on their own, so that vector work given there costs next to no time.
template <bool kTwoRowTiles, class Between>
inline void tileAccumulate(const std::uint16_t* a, std::ptrdiff_t a_stride, const std::uint16_t* b,
                           std::ptrdiff_t b_step, std::ptrdiff_t steps, Between between) {
  const std::uint16_t* lower = a + kTileRows * a_stride;
  const auto stride = a_stride * static_cast<std::ptrdiff_t>(sizeof *a);
  for (std::ptrdiff_t step = 0; step < steps; ++step) {
    _tile_loadd(4, a + step * 32, stride);
    _tile_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, b + kTileElements, 64);
    _tile_dpbf16ps(1, 4, 7);
    if constexpr (kTwoRowTiles) {
      _tile_loadd(5, lower + step * 32, stride);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    b += b_step;
    between(step);
  }
}

/// The sums [16 or 32, 32], to memory.
template <bool kTwoRowTiles>
inline void tileStore(float* sums, std::ptrdiff_t sums_stride) {
  const auto stride = sums_stride * static_cast<std::ptrdiff_t>(sizeof *sums);
  _tile_stored(0, sums, stride);
  _tile_stored(1, sums + 16, stride);
  if constexpr (kTwoRowTiles) {
    _tile_stored(2, sums + kTileRows * sums_stride, stride);
    _tile_stored(3, sums + kTileRows * sums_stride + 16, stride);
  }
}

/// sums = a b, see above.
template <bool kTwoRowTiles, class Between>
inline void tileProduct(const std::uint16_t* a, std::ptrdiff_t a_stride, const std::uint16_t* b,
                        std::ptrdiff_t b_step, std::ptrdiff_t steps, float* sums,
                        std::ptrdiff_t sums_stride, Between between) {
  tileZero<kTwoRowTiles>();
  tileAccumulate<kTwoRowTiles>(a, a_stride, b, b_step, steps, between);
  tileStore<kTwoRowTiles>(sums, sums_stride);
}

template <bool kTwoRowTiles>
inline void tileProduct(const std::uint16_t* a, std::ptrdiff_t a_stride, const std::uint16_t* b,
                        std::ptrdiff_t b_step, std::ptrdiff_t steps, float* sums,
                        std::ptrdiff_t sums_stride) {
  tileProduct<kTwoRowTiles>(a, a_stride, b, b_step, steps, sums, sums_stride,
                            [](std::ptrdiff_t) {});
}

/// See bf16_attention.h.
struct TileBlocks {
  static constexpr std::ptrdiff_t kRows = kTileBlockRows;
  static constexpr std::ptrdiff_t kPanel = kTilePanel;
  static constexpr std::ptrdiff_t kStep = kTileStep;
  static constexpr bool kReadsWholeBlocks = true;
  using Session = Tiles;

  static void product(const BFloat16* a, std::ptrdiff_t a_stride, std::ptrdiff_t, std::ptrdiff_t k,
                      const BFloat16* panel, std::ptrdiff_t, float* sums,
                      std::ptrdiff_t sums_stride) {
    tileProduct<true>(a, a_stride, panel, 2 * kTileElements, k / kTileStep, sums, sums_stride);
  }
};

}  // namespace
}  // namespace adamerge
