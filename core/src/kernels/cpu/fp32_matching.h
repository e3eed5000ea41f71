// SPDX-License-Identifier: GPL-3.0-or-later
// What merging methods ask about tokens: all dot products, how much of everybody's softmax each
// token gets, its mean closeness, and its nearest other one. T: the precision in which merges are
// decided.
#pragma once

#include "kernels/cpu/fp32_products.h"
#include "kernels/cpu/kernel_tables.h"
#include "kernels/cpu/simd.h"

namespace adamerge {
namespace {

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

/// Rows of a panel that are multiplied one after the other: whole blocks and vectors.
template <class T>
constexpr std::ptrdiff_t kPieceRows = std::ptrdiff_t{3} * Simd<T>::kWidth;
static_assert(kPieceRows<float> % kBlockRows == 0 && kPieceRows<double> % kBlockRows == 0);
/// Of so many k the rows' fp64 form stays in the first-level cache.
constexpr std::ptrdiff_t kWidenedSteps = 192;

/// One panel's part of a DotCall in precision T. Of a symmetric product the narrow panel comes
/// first, where few rows reach its diagonal.
template <class T>
struct DotPanel {
  std::ptrdiff_t column;
  std::ptrdiff_t count;  ///< of columns
  std::ptrdiff_t rows;   ///< of a symmetric product those that reach the diagonal
  std::ptrdiff_t lead;   ///< rows before those that whole vectors part from the diagonal
  std::ptrdiff_t piece;  ///< rows of one, more where there are fewer columns
  std::ptrdiff_t pieces;

  DotPanel(const DotCall& call, std::ptrdiff_t panel) {
    const std::ptrdiff_t narrow = call.symmetric ? call.columns % kPanel<T> : 0;
    const std::ptrdiff_t end = narrow > 0 ? narrow + panel * kPanel<T> : (panel + 1) * kPanel<T>;
    column = end > kPanel<T> ? end - kPanel<T> : 0;
    count = (end < call.columns ? end : call.columns) - column;
    rows = call.symmetric ? column + count : call.rows;
    lead = column % Simd<T>::kWidth;
    piece = kPieceRows<T> * (kBlockVectors / vectorsFor<T>(count));
    pieces = (rows - lead + piece - 1) / piece;
  }
  /// The first row of a piece, or of what follows the last one.
  std::ptrdiff_t begin(std::ptrdiff_t index) const {
    const std::ptrdiff_t row = lead + index * piece;
    return index == 0 ? 0 : row < rows ? row : rows;
  }
};

template <class T>
std::ptrdiff_t dotPiecesOf(const DotCall& call) {
  std::ptrdiff_t pieces = 0;
  for (std::ptrdiff_t panel = 0; panel * kPanel<T> < call.columns; ++panel) {
    pieces += DotPanel<T>(call, panel).pieces;
  }
  return pieces;
}

std::ptrdiff_t dotPieces(const DotCall& call) {
  return call.exact ? dotPiecesOf<double>(call) : dotPiecesOf<float>(call);
}

std::ptrdiff_t dotScratch(std::ptrdiff_t depth, bool exact) {
  return exact ? (depth * kPanel<double> + kBlockRows * kWidenedSteps) *
                     static_cast<std::ptrdiff_t>(sizeof(double))
               : depth * kPanel<float> * static_cast<std::ptrdiff_t>(sizeof(float));
}

/// sums = rows [row, row + block) of a times the panel's weights.
template <class In, class T>
void dotBlock(const DotCall& call, std::ptrdiff_t row, std::ptrdiff_t block, std::ptrdiff_t vectors,
              const T* weights, T* widened, T* sums) {
  const In* own = static_cast<const In*>(call.a) + row * call.a_stride;
  const BlockProduct<T> multiply = blockProductOf<T>(block, vectors);
  if constexpr (kSame<In, T>) {
    multiply(own, call.a_stride, weights, call.depth, sums, kPanel<T>, Sums::kReplaced);
  } else {
    for (std::ptrdiff_t first = 0; first < call.depth; first += kWidenedSteps) {
      const std::ptrdiff_t left = call.depth - first;
      const std::ptrdiff_t steps = left < kWidenedSteps ? left : kWidenedSteps;
      for (std::ptrdiff_t m = 0; m < block; ++m) {
        for (std::ptrdiff_t i = 0; i < steps; ++i) {
          widened[m * kWidenedSteps + i] = static_cast<T>(own[m * call.a_stride + first + i]);
        }
      }
      multiply(widened, kWidenedSteps, weights + first * kPanel<T>, steps, sums, kPanel<T>,
               first == 0 ? Sums::kReplaced : Sums::kContinued);
    }
  }
}

/// Pieces [first, last) of the panel's.
template <class In, class T>
void dotPanel(const DotCall& call, const DotPanel<T>& panel, std::ptrdiff_t first,
              std::ptrdiff_t last, T* weights) {
  const std::ptrdiff_t column = panel.column;
  const std::ptrdiff_t vectors = vectorsFor<T>(panel.count);
  auto* out = static_cast<T*>(call.out);
  for (std::ptrdiff_t v = 0; v < vectors; ++v) {
    const std::ptrdiff_t own = v * Simd<T>::kWidth;
    transposeRows(static_cast<const In*>(call.b) + (column + own) * call.b_stride, call.b_stride,
                  panel.count - own, call.depth, weights + own, kPanel<T>);
  }
  constexpr std::ptrdiff_t kWidth = Simd<T>::kWidth;
  const std::ptrdiff_t begin = panel.begin(first);
  const std::ptrdiff_t end = panel.begin(last);
  alignas(64) T sums[kBlockRows * kPanel<T>];
  for (std::ptrdiff_t row = begin; row < end; row += kBlockRows) {
    const std::ptrdiff_t block = end - row < kBlockRows ? end - row : kBlockRows;
    // Vectors below the diagonal are copies, too.
    const std::ptrdiff_t known =
        call.symmetric && row > column ? (row - column) / kWidth * kWidth : 0;
    dotBlock<In>(call, row, block, vectors - known / kWidth, weights + known,
                 weights + call.depth * kPanel<T>, sums + known);
    for (std::ptrdiff_t m = 0; m < block; ++m) {
      for (std::ptrdiff_t c = known; c < panel.count; ++c) {
        out[(row + m) * call.columns + column + c] = sums[m * kPanel<T> + c];
      }
    }
  }
  for (std::ptrdiff_t row = begin; call.symmetric && row < end;) {
    // Before the lead's end a whole vector, too, of which the next one repeats a part.
    const std::ptrdiff_t next = row < panel.lead ? panel.lead : row + kWidth;
    const std::ptrdiff_t start = next > column ? next : column;
    transposeRows(out + row * call.columns + start, call.columns, kWidth,
                  column + panel.count - start, out + start * call.columns + row, call.columns);
    row = next;
  }
}

template <class In, class T>
void dotProductsOf(const DotCall& call, std::ptrdiff_t first, std::ptrdiff_t last, T* scratch) {
  for (std::ptrdiff_t index = 0; last > 0; ++index) {
    const DotPanel<T> panel(call, index);
    if (first < panel.pieces) {
      dotPanel<In>(call, panel, first, last < panel.pieces ? last : panel.pieces, scratch);
    }
    first = first < panel.pieces ? 0 : first - panel.pieces;
    last -= panel.pieces;
  }
}

void dotProducts(const DotCall& call, std::ptrdiff_t first, std::ptrdiff_t last, void* scratch) {
  if (call.wide) {
    dotProductsOf<double>(call, first, last, static_cast<double*>(scratch));
  } else if (call.exact) {
    dotProductsOf<float>(call, first, last, static_cast<double*>(scratch));
  } else {
    dotProductsOf<float>(call, first, last, static_cast<float*>(scratch));
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
void eluMeansOf(const T* values, std::ptrdiff_t n, std::ptrdiff_t first, std::ptrdiff_t last,
                T margin, T* means) {
  using Vector = typename Simd<T>::Vector;
  constexpr std::ptrdiff_t kWidth = Simd<T>::kWidth;
  const auto elu = [margin](Vector value) {
    const Vector x = value - margin;
    return x <= T{0} ? exponential(x) - T{1} : x;  // NaN stays
  };
  for (std::ptrdiff_t i = first; i < last; ++i) {
    const T* row = values + i * n;
    Vector sums = {};
    std::ptrdiff_t j = 0;
    for (; j + kWidth <= n; j += kWidth) sums += elu(load(row + j));
    Vector rest = {};
    for (std::ptrdiff_t k = 0; k < n - j; ++k) rest[k] = row[j + k];
    rest = elu(rest);
    for (std::ptrdiff_t k = 0; k < n - j; ++k) sums[k] += rest[k];
    T total = 0;
    for (int k = 0; k < kWidth; ++k) total += sums[k];
    means[i] = total / static_cast<T>(n);
  }
}

void eluMeans(const void* values, bool exact, std::ptrdiff_t n, std::ptrdiff_t first,
              std::ptrdiff_t last, double margin, void* means) {
  if (exact) {
    eluMeansOf(static_cast<const double*>(values), n, first, last, margin,
               static_cast<double*>(means));
  } else {
    eluMeansOf(static_cast<const float*>(values), n, first, last, static_cast<float>(margin),
               static_cast<float*>(means));
  }
}

/// A vector of row[0], row[step], ...; `step` is 1, or 2 with an element behind the last one.
template <class T>
inline typename Simd<T>::Vector loadEvery(const T* row, std::ptrdiff_t step) {
  if (step == 1) return load(row);
  static constexpr Pattern<T> kEven([](int i) { return 2 * i; });
  const typename Simd<T>::Indices even = kEven;
  return __builtin_shuffle(load(row), load(row + Simd<T>::kWidth), even);
}

/// The first of `values`, which a NaN follows up to the end of a vector, that is `top`.
template <class T>
inline std::ptrdiff_t firstOf(const T* values, std::ptrdiff_t count, T top) {
  using Index = typename IndexOf<sizeof(T)>::Type;
  using Indices = typename Simd<T>::Indices;
  constexpr std::ptrdiff_t kWidth = Simd<T>::kWidth;
  static constexpr Pattern<T> kLanes([](int i) { return i; });
  Indices lanes = kLanes;
  Indices found = broadcast(static_cast<Index>(count));
  const auto lower = [](Indices a, Indices b) { return a < b ? a : b; };
  for (std::ptrdiff_t j = 0; j < count; j += kWidth) {
    found = load(values + j) == top ? lower(found, lanes) : found;
    lanes += static_cast<Index>(kWidth);
  }
  std::ptrdiff_t lowest = count;
  for (int k = 0; k < kWidth; ++k) lowest = found[k] < lowest ? found[k] : lowest;
  return lowest;
}

template <class T>
void bestOf(const BestCall& call, T* products) {
  constexpr std::ptrdiff_t kWidth = Simd<T>::kWidth;
  const auto* matrix = static_cast<const T*>(call.matrix);
  const auto* row_factors = static_cast<const T*>(call.row_factors);
  const auto* column_factors = static_cast<const T*>(call.column_factors);
  store(products + call.columns, broadcast(static_cast<T>(__builtin_nan(""))));
  for (std::ptrdiff_t i = 0; i < call.rows; ++i) {
    const T* row = matrix + i * call.stride;
    const T factor = row_factors != nullptr ? row_factors[i] : T{1};
    std::ptrdiff_t j = 0;
    for (; (call.step == 1 || call.step == 2) && j + kWidth < call.columns; j += kWidth) {
      const auto scores = loadEvery(row + j * call.step, call.step);
      store(products + j,
            (column_factors != nullptr ? scores * load(column_factors + j) : scores) * factor);
    }
    for (; j < call.columns; ++j) {
      const T column_factor = column_factors != nullptr ? column_factors[j] : T{1};
      products[j] = row[j * call.step] * column_factor * factor;
    }
    const T top = largest(products, call.columns);
    std::ptrdiff_t index = 0;
    if (top == top) {
      index = firstOf(products, call.columns, top);
    } else {
      while (products[index] == products[index]) ++index;
    }
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
