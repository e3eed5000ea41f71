// SPDX-License-Identifier: GPL-3.0-or-later
// Attention of one head on tiles, a block of queries at a time.
#pragma once

#include "kernels/cpu/amx_tiles.h"
#include "kernels/cpu/row_ops.h"

namespace adamerge {
namespace {

/// Where the parts of the scratch memory begin, in bytes; all multiples of 64.
struct Layout {
  std::ptrdiff_t columns;  ///< keys, padded
  std::ptrdiff_t depth;    ///< width, padded
  std::ptrdiff_t queries;  ///< bf16 [32, depth]
  std::ptrdiff_t keys;     ///< tiles, pairs of 16 tokens, in each depth / 32 steps
  std::ptrdiff_t values;   ///< tiles, pairs of 16 channels, in each columns / 32 steps
  std::ptrdiff_t logits;   ///< fp32 [32, columns]
  std::ptrdiff_t weights;  ///< bf16 [32, columns]
  std::ptrdiff_t key_bias;
  std::ptrdiff_t row_bias;
  std::ptrdiff_t bytes;

  Layout(std::ptrdiff_t key_count, std::ptrdiff_t width)
      : columns(padded(key_count)), depth(padded(width)) {
    constexpr std::ptrdiff_t kElement = sizeof(BFloat16);
    constexpr std::ptrdiff_t kFloat = sizeof(float);
    queries = 0;
    keys = queries + kTileBlockRows * depth * kElement;
    values = keys + columns * depth * kElement;
    logits = values + columns * depth * kElement;
    weights = logits + kTileBlockRows * columns * kFloat;
    key_bias = weights + kTileBlockRows * columns * kElement;
    row_bias = key_bias + columns * kFloat;
    bytes = row_bias + columns * kFloat;
  }
};

/// kTileBlockRows rows of `padded` elements, zeros beyond the `rows` rows of `width` there are.
void copyRows(const BFloat16* from, std::ptrdiff_t stride, std::ptrdiff_t rows,
              std::ptrdiff_t width, std::ptrdiff_t padded, BFloat16* to) {
  for (std::ptrdiff_t row = 0; row < kTileBlockRows; ++row, to += padded) {
    const std::ptrdiff_t count = row < rows ? width : 0;
    if (count > 0) {
      std::memcpy(to, from + row * stride, static_cast<std::size_t>(count) * sizeof(BFloat16));
    }
    std::memset(to + count, 0, static_cast<std::size_t>(padded - count) * sizeof(BFloat16));
  }
}

/// [tokens, width] -> tiles of values: each row of a tile holds two tokens of 16 channels.
void packValues(const BFloat16* v, std::ptrdiff_t stride, std::ptrdiff_t tokens,
                std::ptrdiff_t width, const Layout& layout, Pair* to) {
  for (std::ptrdiff_t token = 0; token < layout.columns; token += 2) {
    for (std::ptrdiff_t channel = 0; channel < layout.depth; channel += kTileRows) {
      Pair* pairs = to + channel / kTilePanel * kTilePanel * (layout.columns / 2) +
                    token / 32 * kTileElements +
                    channel % kTilePanel / kTileRows * (kTileElements / 2) + token % 32 / 2 * 16;
      const std::ptrdiff_t count =
          width - channel < kTileRows ? (width > channel ? width - channel : 0) : kTileRows;
      if (count == kTileRows && token + 1 < tokens) {
        const BFloat16* first = v + token * stride + channel;
        store(pairs, loadAs<Pair>(first) | loadAs<Pair>(first + stride) << 16);
        continue;
      }
      for (std::ptrdiff_t c = 0; c < kTileRows; ++c) {
        const bool inside = c < count;
        const Pair first = inside && token < tokens ? v[token * stride + channel + c] : 0U;
        const Pair second =
            inside && token + 1 < tokens ? v[(token + 1) * stride + channel + c] : 0U;
        pairs[c] = first | second << 16;
      }
    }
  }
}

std::ptrdiff_t attentionScratch(std::ptrdiff_t keys, std::ptrdiff_t width) {
  return Layout(keys, width).bytes;
}

void attendHead(const AttentionCall& call, void* scratch) {
  const Tiles tiles;
  const Layout layout(call.keys, call.width);
  const std::ptrdiff_t n = call.keys;
  auto* memory = static_cast<unsigned char*>(scratch);
  auto* queries = reinterpret_cast<BFloat16*>(memory + layout.queries);
  auto* keys = reinterpret_cast<BFloat16*>(memory + layout.keys);
  auto* values = reinterpret_cast<BFloat16*>(memory + layout.values);
  auto* logits = reinterpret_cast<float*>(memory + layout.logits);
  auto* weights = reinterpret_cast<BFloat16*>(memory + layout.weights);
  const Bias bias(call, reinterpret_cast<float*>(memory + layout.key_bias),
                  reinterpret_cast<float*>(memory + layout.row_bias));

  for (std::ptrdiff_t token = 0; token < layout.columns; token += kTilePanel) {
    packTransposed(static_cast<const BFloat16*>(call.k) + token * call.kv_stride, call.kv_stride,
                   n - token, call.width, keys + token * layout.depth);
  }
  packValues(static_cast<const BFloat16*>(call.v), call.kv_stride, n, call.width, layout,
             reinterpret_cast<Pair*>(values));

  const Destination to{call.out, call.out_stride, nullptr, Finish::kNone, Store::kBFloat16};
  const bool whole_steps = call.width == layout.depth;
  for (std::ptrdiff_t row = call.first_query; row < call.last_query; row += kTileBlockRows) {
    const std::ptrdiff_t left = call.last_query - row;
    const std::ptrdiff_t rows = left < kTileBlockRows ? left : kTileBlockRows;
    const BFloat16* q = static_cast<const BFloat16*>(call.q) + row * call.q_stride;
    std::ptrdiff_t q_stride = call.q_stride;
    if (!whole_steps || row + kTileBlockRows > call.queries) {
      copyRows(q, call.q_stride, rows, call.width, layout.depth, queries);
      q = queries;
      q_stride = layout.depth;
    }
    for (std::ptrdiff_t column = 0; column < layout.columns; column += kTilePanel) {
      tileProduct<true>(q, q_stride, keys + column * layout.depth, 2 * kTileElements,
                        layout.depth / 32, logits + column, layout.columns);
    }
    float shares[kTileBlockRows];
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
      for (std::ptrdiff_t i = fullVectors(n); i < layout.columns; i += kFloats) {
        storeBFloat16(rounded + i, Floats{});
      }
      for (std::ptrdiff_t i = 0; first && i < n; ++i) call.first_row[i] = own[i] * shares[m];
      if (call.column_sums == nullptr) continue;
      float* column_sums = call.column_sums + row / kQueryBlock * n;
      for (std::ptrdiff_t i = 0; i < n; ++i) column_sums[i] += own[i] * shares[m];
    }
    alignas(64) float sums[kTileBlockRows * kTilePanel];
    for (std::ptrdiff_t channel = 0; channel < call.width; channel += kTilePanel) {
      tileProduct<true>(weights, layout.columns, values + channel * layout.columns,
                        2 * kTileElements, layout.columns / 32, sums, kTilePanel);
      const std::ptrdiff_t count =
          call.width - channel < kTilePanel ? call.width - channel : kTilePanel;
      for (std::ptrdiff_t m = 0; m < rows; ++m) {
        scaleRow(sums + m * kTilePanel, count, shares[m]);
        finishRow(to, sums + m * kTilePanel, row + m, channel, count);
      }
    }
  }
}

}  // namespace
}  // namespace adamerge
