// SPDX-License-Identifier: GPL-3.0-or-later
// How the second operand of a bf16 product lies in memory, and how weights, rows and values get
// there. A kernel says with its Blocks: kRows of sums kept together, kPanel columns of a panel, and
// kStep, of which k is a multiple. Attention of one head, a block of queries at a time, is written
// over its products: besides these constants Blocks have
//   Session: what a thread needs while it multiplies;
//   kReadsWholeBlocks: product() reads kRows rows of a, be they there or not;
//   product(a, a_stride, rows, k, panel, columns, sums, sums_stride): sums [kRows, kPanel], of
//     which `rows` and `columns` are asked for, = a [rows, k] times the panel.
// At the end the kernels whose sums stay in registers: products of rows with packed weights, and
// their table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/cpu/kernel_tables.h"
#include "kernels/cpu/row_ops.h"
#include "kernels/cpu/simd.h"

namespace adamerge {
namespace {

/// Adjacent k of one column, the lower half first.
using Pair = std::uint32_t;
/// Columns whose pairs lie side by side.
constexpr std::ptrdiff_t kPairColumns = 16;

inline constexpr std::ptrdiff_t wholeMultiple(std::ptrdiff_t count, std::ptrdiff_t of) {
  return (count + of - 1) / of * of;
}

/// Where the pair that holds k of `column` lies: in each panel steps of k, in each the vectors of
/// 16 columns, in each the pairs of k. `depth`: k, a multiple of a step.
template <class Blocks>
constexpr std::ptrdiff_t pairPlace(std::ptrdiff_t column, std::ptrdiff_t k, std::ptrdiff_t depth) {
  constexpr std::ptrdiff_t kStep = Blocks::kStep;
  constexpr std::ptrdiff_t kPanel = Blocks::kPanel;
  return column / kPanel * kPanel * (depth / 2) + k / kStep * (kStep / 2 * kPanel) +
         column % kPanel / kPairColumns * (kStep / 2 * kPairColumns) +
         k % kStep / 2 * kPairColumns + column % kPairColumns;
}

/// See HalfKernels.
template <class Blocks>
void pack(const float* weight, std::ptrdiff_t columns, std::ptrdiff_t k, std::uint16_t* packed) {
  const std::ptrdiff_t depth = wholeMultiple(k, Blocks::kStep);
  for (std::ptrdiff_t column = 0; column < wholeMultiple(columns, Blocks::kPanel); ++column) {
    for (std::ptrdiff_t i = 0; i < depth; ++i) {
      packed[2 * pairPlace<Blocks>(column, i, depth) + i % 2] =
          column < columns && i < k ? toBFloat16(weight[column * k + i]) : BFloat16{0};
    }
  }
}

constexpr std::ptrdiff_t kPairs = Simd<Pair>::kWidth;
static_assert(kPairColumns % kPairs == 0);

/// A vector of pairs of a row of `width` elements from `first` on, zeros beyond its end.
inline Simd<Pair>::Vector loadPairs(const BFloat16* row, std::ptrdiff_t first,
                                    std::ptrdiff_t width) {
  const std::ptrdiff_t left = width - first;
  Simd<Pair>::Vector pairs = {};
  // A copy of constant length is a load; others call for a loop.
  if (left >= 2 * kPairs) {
    std::memcpy(&pairs, row + first, sizeof pairs);
  } else if (left > 0) {
    std::memcpy(&pairs, row + first, static_cast<std::size_t>(left) * sizeof(BFloat16));
  }
  return pairs;
}

/// `rows` rows [rows, width], at most a panel -> one panel, a column for each. Zeros where there
/// are no rows.
template <class Blocks>
inline void packTransposed(const BFloat16* from, std::ptrdiff_t stride, std::ptrdiff_t rows,
                           std::ptrdiff_t width, BFloat16* panel) {
  auto* to = reinterpret_cast<Pair*>(panel);
  const std::ptrdiff_t depth = wholeMultiple(width, Blocks::kStep);
  for (std::ptrdiff_t k = 0; k < depth; k += 2 * kPairs) {
    for (std::ptrdiff_t first = 0; first < Blocks::kPanel; first += kPairs) {
      Simd<Pair>::Vector block[kPairs];
#pragma GCC unroll 16
      for (std::ptrdiff_t row = 0; row < kPairs; ++row) {
        block[row] = first + row < rows ? loadPairs(from + (first + row) * stride, k, width)
                                        : Simd<Pair>::Vector{};
      }
      transpose<Pair>(block);
#pragma GCC unroll 16
      for (std::ptrdiff_t pair = 0; pair < kPairs; ++pair) {
        if (Blocks::kStep % (2 * kPairs) == 0 || k + 2 * pair < depth) {
          store(to + pairPlace<Blocks>(first, k + 2 * pair, depth), block[pair]);
        }
      }
    }
  }
}

/// [tokens, width] -> panels, a column for each of the width and a k for each token.
template <class Blocks>
void packValues(const BFloat16* v, std::ptrdiff_t stride, std::ptrdiff_t tokens,
                std::ptrdiff_t width, BFloat16* panels) {
  auto* to = reinterpret_cast<Pair*>(panels);
  const std::ptrdiff_t depth = wholeMultiple(tokens, Blocks::kStep);
  for (std::ptrdiff_t token = 0; token < depth; token += 2) {
    for (std::ptrdiff_t channel = 0; channel < wholeMultiple(width, Blocks::kPanel);
         channel += kPairs) {
      Pair* pairs = to + pairPlace<Blocks>(channel, token, depth);
      const BFloat16* first = v + token * stride + channel;
      if (channel + kPairs <= width && token + 1 < tokens) {
        store(pairs, loadAs<Pair>(first) | loadAs<Pair>(first + stride) << 16);
        continue;
      }
      for (std::ptrdiff_t c = 0; c < kPairs; ++c) {
        const bool inside = channel + c < width;
        const Pair low = inside && token < tokens ? first[c] : 0U;
        const Pair high = inside && token + 1 < tokens ? first[stride + c] : 0U;
        pairs[c] = low | high << 16;
      }
    }
  }
}

/// Where the parts of the scratch memory begin, in bytes.
template <class Blocks>
struct Layout {
  std::ptrdiff_t columns;  ///< keys, to whole panels
  std::ptrdiff_t tokens;   ///< keys, to whole steps
  std::ptrdiff_t depth;    ///< width, to whole steps
  std::ptrdiff_t queries;  ///< bf16 [kRows, depth]
  std::ptrdiff_t keys;     ///< panels of [depth, columns]
  std::ptrdiff_t values;   ///< panels of [tokens, width]
  std::ptrdiff_t logits;   ///< fp32 [kRows, columns]
  std::ptrdiff_t weights;  ///< bf16 [kRows, columns]
  std::ptrdiff_t key_bias;
  std::ptrdiff_t row_bias;
  std::ptrdiff_t bytes = 0;

  Layout(std::ptrdiff_t key_count, std::ptrdiff_t width)
      : columns(wholeMultiple(key_count, Blocks::kPanel)),
        tokens(wholeMultiple(key_count, Blocks::kStep)),
        depth(wholeMultiple(width, Blocks::kStep)) {
    constexpr std::ptrdiff_t kElement = sizeof(BFloat16);
    constexpr std::ptrdiff_t kFloat = sizeof(float);
    queries = take(Blocks::kRows * depth * kElement);
    keys = take(columns * depth * kElement);
    values = take(tokens * wholeMultiple(width, Blocks::kPanel) * kElement);
    logits = take(Blocks::kRows * columns * kFloat);
    weights = take(Blocks::kRows * columns * kElement);
    key_bias = take(columns * kFloat);
    row_bias = take(columns * kFloat);
  }

 private:
  std::ptrdiff_t take(std::ptrdiff_t size) {
    const std::ptrdiff_t start = bytes;
    bytes += wholeMultiple(size, 64);
    return start;
  }
};

/// `all` rows of `padded` elements, zeros beyond the `rows` rows of `width` there are.
inline void copyRows(const BFloat16* from, std::ptrdiff_t stride, std::ptrdiff_t rows,
                     std::ptrdiff_t width, std::ptrdiff_t all, std::ptrdiff_t padded,
                     BFloat16* to) {
  for (std::ptrdiff_t row = 0; row < all; ++row, to += padded) {
    const std::ptrdiff_t count = row < rows ? width : 0;
    if (count > 0) {
      std::memcpy(to, from + row * stride, static_cast<std::size_t>(count) * sizeof(BFloat16));
    }
    std::memset(to + count, 0, static_cast<std::size_t>(padded - count) * sizeof(BFloat16));
  }
}

template <class Blocks>
std::ptrdiff_t attentionScratch(std::ptrdiff_t keys, std::ptrdiff_t width) {
  return Layout<Blocks>(keys, width).bytes;
}

template <class Blocks>
void attendHead(const AttentionCall& call, void* scratch) {
  constexpr std::ptrdiff_t kRows = Blocks::kRows;
  constexpr std::ptrdiff_t kPanel = Blocks::kPanel;
  [[maybe_unused]] const typename Blocks::Session session;
  const Layout<Blocks> layout(call.keys, call.width);
  const std::ptrdiff_t n = call.keys;
  auto* memory = static_cast<unsigned char*>(scratch);
  auto* queries = reinterpret_cast<BFloat16*>(memory + layout.queries);
  auto* keys = reinterpret_cast<BFloat16*>(memory + layout.keys);
  auto* values = reinterpret_cast<BFloat16*>(memory + layout.values);
  auto* logits = reinterpret_cast<float*>(memory + layout.logits);
  auto* weights = reinterpret_cast<BFloat16*>(memory + layout.weights);
  const Bias bias(call, reinterpret_cast<float*>(memory + layout.key_bias),
                  reinterpret_cast<float*>(memory + layout.row_bias));

  for (std::ptrdiff_t token = 0; token < layout.columns; token += kPanel) {
    packTransposed<Blocks>(static_cast<const BFloat16*>(call.k) + token * call.kv_stride,
                           call.kv_stride, n - token, call.width, keys + token * layout.depth);
  }
  packValues<Blocks>(static_cast<const BFloat16*>(call.v), call.kv_stride, n, call.width, values);

  const Destination to{call.out, call.out_stride, nullptr, Finish::kNone, Store::kBFloat16};
  const bool whole_steps = call.width == layout.depth;
  for (std::ptrdiff_t row = call.first_query; row < call.last_query; row += kRows) {
    const std::ptrdiff_t left = call.last_query - row;
    const std::ptrdiff_t rows = left < kRows ? left : kRows;
    const BFloat16* q = static_cast<const BFloat16*>(call.q) + row * call.q_stride;
    std::ptrdiff_t q_stride = call.q_stride;
    if (!whole_steps || (Blocks::kReadsWholeBlocks && row + kRows > call.queries)) {
      copyRows(q, call.q_stride, rows, call.width, kRows, layout.depth, queries);
      q = queries;
      q_stride = layout.depth;
    }
    for (std::ptrdiff_t column = 0; column < layout.columns; column += kPanel) {
      const std::ptrdiff_t count = n - column < kPanel ? n - column : kPanel;
      Blocks::product(q, q_stride, rows, layout.depth, keys + column * layout.depth, count,
                      logits + column, layout.columns);
    }
    float shares[kRows];
    for (std::ptrdiff_t m = 0; m < rows; ++m) {
      float* own = logits + m * layout.columns;
      BFloat16* rounded = weights + m * layout.columns;
      const bool first = row + m == 0 && call.first_row != nullptr;
      const bool shown = first || call.column_sums != nullptr;
      shares[m] = softmaxRow<true>(own, n, call.scale, bias.row(row + m),
                                   [&](std::ptrdiff_t i, Floats weight) {
                                     storeBFloat16(rounded + i, weight);
                                     if (shown) store(own + i, weight);
                                   });
      for (std::ptrdiff_t i = fullVectors(n); i < layout.tokens; i += kFloats) {
        storeBFloat16(rounded + i, Floats{});
      }
      for (std::ptrdiff_t i = 0; first && i < n; ++i) call.first_row[i] = own[i] * shares[m];
      if (call.column_sums == nullptr) continue;
      float* column_sums = call.column_sums + row / kQueryBlock * n;
      for (std::ptrdiff_t i = 0; i < n; ++i) column_sums[i] += own[i] * shares[m];
    }
    alignas(64) float sums[kRows * kPanel];
    for (std::ptrdiff_t channel = 0; channel < call.width; channel += kPanel) {
      const std::ptrdiff_t count = call.width - channel < kPanel ? call.width - channel : kPanel;
      Blocks::product(weights, layout.columns, rows, layout.tokens,
                      values + channel * layout.tokens, count, sums, kPanel);
      for (std::ptrdiff_t m = 0; m < rows; ++m) {
        scaleRow(sums + m * kPanel, count, shares[m]);
        finishRow(to, sums + m * kPanel, row + m, channel, count);
      }
    }
  }
}

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
