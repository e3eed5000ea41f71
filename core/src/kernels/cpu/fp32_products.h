// SPDX-License-Identifier: GPL-3.0-or-later
// Matrix products over packed panels: a block of sums stays in registers over the whole of k.
// Made of them is what merging methods ask about tokens: all dot products, how much of everybody's
// softmax each token gets, and each token's nearest other one. T: the precision in which merges are
// decided.
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

/// sums[m][:] = x[m][:] panel, over M rows and the first N vectors of the panel.
template <class T, int M, int N>
void blockProduct(const T* x, std::ptrdiff_t stride, const T* panel, std::ptrdiff_t k, T* sums,
                  std::ptrdiff_t sums_stride) {
  using Vector = typename Simd<T>::Vector;
  Vector block[M][N] = {};
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
    for (int n = 0; n < N; ++n) store(sums + m * sums_stride + n * Simd<T>::kWidth, block[m][n]);
  }
}

template <class T>
using BlockProduct = void (*)(const T* x, std::ptrdiff_t stride, const T* panel, std::ptrdiff_t k,
                              T* sums, std::ptrdiff_t sums_stride);

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

void product(const float* x, std::ptrdiff_t x_stride, std::ptrdiff_t rows, std::ptrdiff_t k,
             const float* panels, std::ptrdiff_t first, std::ptrdiff_t last, std::ptrdiff_t columns,
             const Destination& to) {
  alignas(64) float sums[kBlockRows * kPanel<float>];
  alignas(64) float part[kBlockRows * kPanel<float>] = {};
  for (std::ptrdiff_t panel = first; panel < last; ++panel) {
    const std::ptrdiff_t column = panel * kPanel<float>;
    const std::ptrdiff_t count =
        columns - column < kPanel<float> ? columns - column : kPanel<float>;
    const std::ptrdiff_t vectors = vectorsFor<float>(count);
    for (std::ptrdiff_t row = 0; row < rows; row += kBlockRows) {
      const std::ptrdiff_t block = rows - row < kBlockRows ? rows - row : kBlockRows;
      for (std::ptrdiff_t step = 0; step < k; step += kSummedSteps) {
        blockProductOf<float>(block, vectors)(x + row * x_stride + step, x_stride,
                                              panels + (panel * k + step) * kPanel<float>,
                                              k - step < kSummedSteps ? k - step : kSummedSteps,
                                              step == 0 ? sums : part, kPanel<float>);
        for (std::ptrdiff_t i = 0; step > 0 && i < block * kPanel<float>; i += kFloats) {
          store(sums + i, load(sums + i) + load(part + i));
        }
      }
      for (std::ptrdiff_t m = 0; m < block; ++m) {
        finishRow(to, sums + m * kPanel<float>, row + m, column, count);
      }
    }
  }
}

/// NaN if one of the values is. A comparison with NaN is false, so that the two are told apart.
template <class T>
inline T largest(const T* values, std::ptrdiff_t count) {
  using Vector = typename Simd<T>::Vector;
  constexpr std::ptrdiff_t kWidth = Simd<T>::kWidth;
  T top = values[0];
  bool ordered = true;
  std::ptrdiff_t i = 0;
  if (count >= kWidth) {
    Vector tops = load(values);
    auto all_ordered = tops == tops;
    for (; i + kWidth <= count; i += kWidth) {
      const Vector value = load(values + i);
      tops = value > tops ? value : tops;
      all_ordered &= value == value;
    }
    for (int k = 0; k < kWidth; ++k) {
      top = tops[k] > top ? tops[k] : top;
      ordered = ordered && all_ordered[k] != 0;
    }
  }
  for (; i < count; ++i) {
    top = values[i] > top ? values[i] : top;
    ordered = ordered && values[i] == values[i];
  }
  return ordered ? top : static_cast<T>(__builtin_nan(""));
}

template <class A, class B>
constexpr bool kSame = false;
template <class A>
constexpr bool kSame<A, A> = true;

std::ptrdiff_t dotPanels(std::ptrdiff_t columns, bool exact) {
  const std::ptrdiff_t panel = exact ? kPanel<double> : kPanel<float>;
  return (columns + panel - 1) / panel;
}

std::ptrdiff_t dotScratch(std::ptrdiff_t depth, bool exact) {
  return depth * (kPanel<float> + kBlockRows) *
         static_cast<std::ptrdiff_t>(exact ? sizeof(double) : sizeof(float));
}

template <class In, class T>
void dotPanel(const DotCall& call, std::ptrdiff_t panel, T* weights) {
  T* wide = weights + call.depth * kPanel<T>;  // kBlockRows rows of a in precision T
  auto* out = static_cast<T*>(call.out);
  const std::ptrdiff_t column = panel * kPanel<T>;
  const std::ptrdiff_t left = call.columns - column;
  const std::ptrdiff_t count = left < kPanel<T> ? left : kPanel<T>;
  for (std::ptrdiff_t first = 0; first < kPanel<T>; first += Simd<T>::kWidth) {
    transposeRows(static_cast<const In*>(call.b) + (column + first) * call.b_stride, call.b_stride,
                  count - first, call.depth, weights + first, kPanel<T>);
  }
  // Of a symmetric product the rows below the panel's diagonal are copies.
  const std::ptrdiff_t rows = call.symmetric ? column + count : call.rows;
  alignas(64) T sums[kBlockRows * kPanel<T>];
  for (std::ptrdiff_t row = 0; row < rows; row += kBlockRows) {
    const std::ptrdiff_t block = rows - row < kBlockRows ? rows - row : kBlockRows;
    const In* own = static_cast<const In*>(call.a) + row * call.a_stride;
    if constexpr (kSame<In, T>) {
      blockProductOf<T>(block, vectorsFor<T>(count))(own, call.a_stride, weights, call.depth, sums,
                                                     kPanel<T>);
    } else {
      for (std::ptrdiff_t m = 0; m < block; ++m) {
        for (std::ptrdiff_t i = 0; i < call.depth; ++i) {
          wide[m * call.depth + i] = static_cast<T>(own[m * call.a_stride + i]);
        }
      }
      blockProductOf<T>(block, vectorsFor<T>(count))(wide, call.depth, weights, call.depth, sums,
                                                     kPanel<T>);
    }
    for (std::ptrdiff_t m = 0; m < block; ++m) {
      for (std::ptrdiff_t c = 0; c < count; ++c) {
        out[(row + m) * call.columns + column + c] = sums[m * kPanel<T> + c];
      }
    }
  }
  // What lies above the diagonal block is mirrored; panels are whole numbers of vectors wide.
  for (std::ptrdiff_t row = 0; call.symmetric && row < column; row += Simd<T>::kWidth) {
    transposeRows(out + row * call.columns + column, call.columns, Simd<T>::kWidth, count,
                  out + column * call.columns + row, call.columns);
  }
}

void dotProducts(const DotCall& call, std::ptrdiff_t panel, void* scratch) {
  if (call.wide) {
    dotPanel<double>(call, panel, static_cast<double*>(scratch));
  } else if (call.exact) {
    dotPanel<float>(call, panel, static_cast<double*>(scratch));
  } else {
    dotPanel<float>(call, panel, static_cast<float*>(scratch));
  }
}

template <class T>
void softmaxSums(const T* gram, std::ptrdiff_t n, std::ptrdiff_t first, std::ptrdiff_t last,
                 T scale, T* sums, T* row) {
  using Vector = typename Simd<T>::Vector;
  constexpr std::ptrdiff_t kWidth = Simd<T>::kWidth;
  const std::ptrdiff_t padded = (n + kWidth - 1) / kWidth * kWidth;
  const Vector smallest = broadcast(T{-87});
  for (std::ptrdiff_t j = 0; j < padded; ++j) sums[j] = 0;
  for (std::ptrdiff_t i = first; i < last; ++i) {
    const T* logits = gram + i * n;
    const T top = largest(logits, n);
    for (std::ptrdiff_t j = 0; j < n; ++j) row[j] = (logits[j] - top) * scale;
    for (std::ptrdiff_t j = n; j < padded; ++j) row[j] = T{-1000};
    Vector totals = {};
    for (std::ptrdiff_t j = 0; j < padded; j += kWidth) {
      const Vector value = load(row + j);
      const Vector weight = value < smallest ? Vector{} : exponential(value);
      store(row + j, weight);
      totals += weight;
    }
    T total = 0;
    for (int k = 0; k < kWidth; ++k) total += totals[k];
    // The exponential function does not hand on NaN.
    const T share = top == top ? T{1} / total : top;
    for (std::ptrdiff_t j = 0; j < padded; j += kWidth) {
      store(sums + j, load(sums + j) + load(row + j) * share);
    }
  }
}

void softmaxColumnSums(const void* gram, bool exact, std::ptrdiff_t n, std::ptrdiff_t first,
                       std::ptrdiff_t last, double scale, void* sums, void* row) {
  if (exact) {
    softmaxSums(static_cast<const double*>(gram), n, first, last, scale, static_cast<double*>(sums),
                static_cast<double*>(row));
  } else {
    softmaxSums(static_cast<const float*>(gram), n, first, last, static_cast<float>(scale),
                static_cast<float*>(sums), static_cast<float*>(row));
  }
}

template <class T>
void bestOf(const BestCall& call, T* products) {
  const auto* matrix = static_cast<const T*>(call.matrix);
  const auto* column_factors = static_cast<const T*>(call.column_factors);
  for (std::ptrdiff_t i = 0; i < call.rows; ++i) {
    const T* row = matrix + i * call.stride;
    const T factor = static_cast<const T*>(call.row_factors)[i];
    if (call.step == 1) {
      for (std::ptrdiff_t j = 0; j < call.columns; ++j) {
        products[j] = row[j] * column_factors[j] * factor;
      }
    } else {
      for (std::ptrdiff_t j = 0; j < call.columns; ++j) {
        products[j] = row[j * call.step] * column_factors[j] * factor;
      }
    }
    const T top = largest(products, call.columns);
    std::ptrdiff_t index = 0;
    const auto is_best = [top](T value) { return top == top ? value == top : value != value; };
    while (index + 1 < call.columns && !is_best(products[index])) ++index;
    call.values[i] = static_cast<float>(top);
    call.indices[i] = index;
  }
}

void best(const BestCall& call, void* scratch) {
  if (call.exact) {
    bestOf(call, static_cast<double*>(scratch));
  } else {
    bestOf(call, static_cast<float*>(scratch));
  }
}

inline double wide(float value) { return static_cast<double>(value); }
inline double wide(BFloat16 value) { return static_cast<double>(toFloat(value)); }

template <class In>
void headMeansOf(const In* x, std::ptrdiff_t stride, std::ptrdiff_t rows, std::ptrdiff_t heads,
                 std::ptrdiff_t width, double* means) {
  const double share = 1.0 / static_cast<double>(heads);
  for (std::ptrdiff_t row = 0; row < rows; ++row, x += stride, means += width) {
    for (std::ptrdiff_t i = 0; i < width; ++i) means[i] = wide(x[i]);
    for (std::ptrdiff_t head = 1; head < heads; ++head) {
      const In* from = x + head * width;
      for (std::ptrdiff_t i = 0; i < width; ++i) means[i] += wide(from[i]);
    }
    for (std::ptrdiff_t i = 0; i < width; ++i) means[i] *= share;
  }
}

void headMeans(const void* x, bool bfloat16, std::ptrdiff_t stride, std::ptrdiff_t rows,
               std::ptrdiff_t heads, std::ptrdiff_t width, double* means) {
  if (bfloat16) {
    headMeansOf(static_cast<const BFloat16*>(x), stride, rows, heads, width, means);
  } else {
    headMeansOf(static_cast<const float*>(x), stride, rows, heads, width, means);
  }
}

}  // namespace

}  // namespace adamerge
