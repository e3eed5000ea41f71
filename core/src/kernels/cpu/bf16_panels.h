// SPDX-License-Identifier: GPL-3.0-or-later
// How the second operand of a bf16 product lies in memory, and how weights, rows and values get
// there. A kernel says with its Blocks: kRows of sums kept together, kPanel columns of a panel, and
// kStep, of which k is a multiple.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

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

}  // namespace
}  // namespace adamerge
