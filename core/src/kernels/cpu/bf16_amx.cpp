// SPDX-License-Identifier: GPL-3.0-or-later
// The bf16 kernels on AMX: two by two tiles of sums, products of rows with packed weights on them,
// and dot products with nearly the precision of fp32: x = high + low, and
// x y = high high + low high + high low. Each number is off by 2^-16 of itself at most and low low
// is as small, which makes 3 * 2^-16 of |x| |y|.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/bf16_blocks.h"
#include "kernels/cpu/kernel_tables.h"
#include "kernels/cpu/row_ops.h"
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

constexpr SplitGramKernels kTileGram = {
    .split = split, .splitSize = splitSize, .gramPanel = gramPanel, .gramScratch = gramScratch};

extern const HalfKernels kAmxKernels;
const HalfKernels kAmxKernels = {.step = TileBlocks::kStep,
                                 .panel = TileBlocks::kPanel,
                                 .rows = kTileRows,
                                 .pack = pack<TileBlocks>,
                                 .product = product,
                                 .productScratch = productScratch,
                                 .attention = attendHead<TileBlocks>,
                                 .attentionScratch = attentionScratch<TileBlocks>,
                                 .gram = &kTileGram};

}  // namespace adamerge
