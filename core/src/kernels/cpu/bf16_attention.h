// SPDX-License-Identifier: GPL-3.0-or-later
// Attention of one head in bf16, a block of queries at a time, over the products of a kernel's
// Blocks: besides the constants of bf16_panels.h these have
//   Session: what a thread needs while it multiplies;
//   kReadsWholeBlocks: product() reads kRows rows of a, be they there or not;
//   product(a, a_stride, rows, k, panel, columns, sums, sums_stride): sums [kRows, kPanel], of
//   which
//     `rows` and `columns` are asked for, = a [rows, k] times the panel.
#pragma once

#include "kernels/cpu/bf16_panels.h"
#include "kernels/cpu/row_ops.h"

namespace adamerge {
namespace {

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

}  // namespace
}  // namespace adamerge
