// SPDX-License-Identifier: GPL-3.0-or-later
// Matrix products over packed panels: a block of sums stays in registers.
#pragma once

#include "kernels/cpu/kernel_tables.h"
#include "kernels/cpu/row_ops.h"
#include "kernels/cpu/simd.h"

namespace adamerge {
namespace {

/// Rows and vectors of the block of sums: 24 of AVX-512's 32 registers, 12 of the 16 elsewhere.
constexpr int kBlockRows = kFloatRows;
constexpr int kBlockVectors = kVectorBytes == 64 ? 4 : 2;
template <class T>
constexpr std::ptrdiff_t kPanel = std::ptrdiff_t{kBlockVectors} * Simd<T>::kWidth;

/// How far ahead of their use weights are asked for.
constexpr std::ptrdiff_t kStepsAhead = 8;

/// What becomes of the sums that are there.
enum class Sums {
  kReplaced,
  kContinued,  ///< the first terms of the new ones
  kAdded       ///< to the new ones, when these are complete
};

/// sums[m][:] = x[m][:] panel, over M rows and the first N vectors of the panel.
template <class T, int M, int N>
void blockProduct(const T* x, std::ptrdiff_t stride, const T* panel, std::ptrdiff_t k, T* sums,
                  std::ptrdiff_t sums_stride, Sums before) {
  using Vector = typename Simd<T>::Vector;
  Vector block[M][N] = {};
#pragma GCC unroll 6
  for (int m = 0; before == Sums::kContinued && m < M; ++m) {
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) block[m][n] = load(sums + m * sums_stride + n * Simd<T>::kWidth);
  }
  for (std::ptrdiff_t i = 0; i < k; ++i) {
    Vector weights[N];
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) weights[n] = load(panel + n * Simd<T>::kWidth);
#pragma GCC unroll 6
    for (int m = 0; m < M; ++m) {
      const Vector value = broadcast(x[m * stride + i]);
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) block[m][n] += value * weights[n];
    }
    // The processor's own prefetching comes too late for weights that stream from memory.
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) {
      __builtin_prefetch(panel + kStepsAhead * kPanel<T> + n * Simd<T>::kWidth);
    }
    panel += kPanel<T>;
  }
#pragma GCC unroll 6
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) {
      T* own = sums + m * sums_stride + n * Simd<T>::kWidth;
      store(own, before == Sums::kAdded ? load(own) + block[m][n] : block[m][n]);
    }
  }
}

template <class T>
using BlockProduct = void (*)(const T* x, std::ptrdiff_t stride, const T* panel, std::ptrdiff_t k,
                              T* sums, std::ptrdiff_t sums_stride, Sums before);

/// For 1 to kBlockRows rows and 1 to kBlockVectors vectors.
template <class T>
inline BlockProduct<T> blockProductOf(std::ptrdiff_t rows, std::ptrdiff_t vectors) {
#define ADAMERGE_ROWS(N)                                                                        \
  {                                                                                             \
    blockProduct<T, 1, N>, blockProduct<T, 2, N>, blockProduct<T, 3, N>, blockProduct<T, 4, N>, \
        blockProduct<T, 5, N>, blockProduct<T, 6, N>                                            \
  }
  static constexpr BlockProduct<T> kProducts[kBlockVectors][kBlockRows] = {
    ADAMERGE_ROWS(1),
    ADAMERGE_ROWS(2),
#if defined(__AVX512F__)
    ADAMERGE_ROWS(3),
    ADAMERGE_ROWS(4)
#endif
  };
#undef ADAMERGE_ROWS
  return kProducts[vectors - 1][rows - 1];
}

template <class T>
inline std::ptrdiff_t vectorsFor(std::ptrdiff_t columns) {
  const std::ptrdiff_t vectors = (columns + Simd<T>::kWidth - 1) / Simd<T>::kWidth;
  return vectors < kBlockVectors ? vectors : kBlockVectors;
}

/// Terms that are summed one by one; the sums of so many are then added up, which halves the
/// rounding of long rows.
constexpr std::ptrdiff_t kSummedSteps = 96;
/// Of so many k a panel's weights stay in the second-level cache, together with those of so many
/// rows that are multiplied with them before the next ones are.
constexpr std::ptrdiff_t kCachedSteps = 8 * kSummedSteps;
constexpr std::ptrdiff_t kCachedRows = 16 * kBlockRows;

void product(const float* x, std::ptrdiff_t x_stride, std::ptrdiff_t rows, std::ptrdiff_t k,
             const float* panels, std::ptrdiff_t first, std::ptrdiff_t last, std::ptrdiff_t columns,
             const Destination& to) {
  constexpr std::ptrdiff_t kColumns = kPanel<float>;
  alignas(64) float sums[kCachedRows * kColumns];
  for (std::ptrdiff_t panel = first; panel < last; ++panel) {
    const std::ptrdiff_t column = panel * kColumns;
    const std::ptrdiff_t count = columns - column < kColumns ? columns - column : kColumns;
    const std::ptrdiff_t vectors = vectorsFor<float>(count);
    for (std::ptrdiff_t group = 0; group < rows; group += kCachedRows) {
      const std::ptrdiff_t present = rows - group < kCachedRows ? rows - group : kCachedRows;
      for (std::ptrdiff_t step = 0; step < k; step += kCachedSteps) {
        const std::ptrdiff_t end = k - step < kCachedSteps ? k : step + kCachedSteps;
        for (std::ptrdiff_t row = 0; row < present; row += kBlockRows) {
          const std::ptrdiff_t block = present - row < kBlockRows ? present - row : kBlockRows;
          for (std::ptrdiff_t part = step; part < end; part += kSummedSteps) {
            blockProductOf<float>(block, vectors)(
                x + (group + row) * x_stride + part, x_stride,
                panels + (panel * k + part) * kColumns,
                end - part < kSummedSteps ? end - part : kSummedSteps, sums + row * kColumns,
                kColumns, part > 0 ? Sums::kAdded : Sums::kReplaced);
          }
          for (std::ptrdiff_t m = row; end == k && m < row + block; ++m) {
            finishRow(to, sums + m * kColumns, group + m, column, count);
          }
        }
      }
    }
  }
}

}  // namespace

}  // namespace adamerge
