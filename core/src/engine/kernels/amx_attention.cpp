// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/amx_kernels.h"
#include "engine/kernels/amx_tiles.h"
#include "engine/kernels/amx_transpose.h"
#include "engine/kernels/epilogue.h"
#include "engine/kernels/softmax_row.h"

namespace adamerge {
namespace {

constexpr std::ptrdiff_t kBlockRows = kAmxRows;
static_assert(kBlockRows == 2 * kTileRows);

/// Where the parts of the scratch memory begin, in bytes; all multiples of 64.
struct Layout {
  std::ptrdiff_t columns;  ///< tokens, padded
  std::ptrdiff_t depth;    ///< width, padded
  std::ptrdiff_t queries;  ///< bf16 [32, depth]
  std::ptrdiff_t keys;     ///< tiles, pairs of 16 tokens, in each depth / 32 steps
  std::ptrdiff_t values;   ///< tiles, pairs of 16 channels, in each columns / 32 steps
  std::ptrdiff_t logits;   ///< fp32 [32, columns]
  std::ptrdiff_t weights;  ///< bf16 [32, columns]
  std::ptrdiff_t log_sizes;
  std::ptrdiff_t bytes;

  Layout(std::ptrdiff_t tokens, std::ptrdiff_t width)
      : columns(amxPadded(tokens)), depth(amxPadded(width)) {
    constexpr std::ptrdiff_t kHalf = sizeof(Half);
    constexpr std::ptrdiff_t kFloat = sizeof(float);
    queries = 0;
    keys = queries + kBlockRows * depth * kHalf;
    values = keys + columns * depth * kHalf;
    logits = values + columns * depth * kHalf;
    weights = logits + kBlockRows * columns * kFloat;
    log_sizes = weights + kBlockRows * columns * kHalf;
    bytes = log_sizes + columns * kFloat;
  }
};

/// kBlockRows rows of `padded` elements, zeros beyond the `rows` rows of `width` there are.
void copyRows(const Half* from, std::ptrdiff_t stride, std::ptrdiff_t rows, std::ptrdiff_t width,
              std::ptrdiff_t padded, Half* to) {
  for (std::ptrdiff_t row = 0; row < kBlockRows; ++row, to += padded) {
    const std::ptrdiff_t count = row < rows ? width : 0;
    if (count > 0) {
      std::memcpy(to, from + row * stride, static_cast<std::size_t>(count) * sizeof(Half));
    }
    std::memset(to + count, 0, static_cast<std::size_t>(padded - count) * sizeof(Half));
  }
}

/// [tokens, width] -> tiles of values: each row of a tile holds two tokens of 16 channels.
void packValues(const Half* v, std::ptrdiff_t stride, std::ptrdiff_t tokens, std::ptrdiff_t width,
                const Layout& layout, Pair* to) {
  for (std::ptrdiff_t token = 0; token < layout.columns; token += 2) {
    for (std::ptrdiff_t channel = 0; channel < layout.depth; channel += kTileRows) {
      Pair* pairs = to + channel / kAmxPanel * kAmxPanel * (layout.columns / 2) +
                    token / 32 * kTileHalves + channel % kAmxPanel / kTileRows * (kTileHalves / 2) +
                    token % 32 / 2 * 16;
      const std::ptrdiff_t count =
          width - channel < kTileRows ? (width > channel ? width - channel : 0) : kTileRows;
      if (count == kTileRows && token + 1 < tokens) {
        const Half* first = v + token * stride + channel;
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

}  // namespace

std::ptrdiff_t amxAttentionScratch(std::ptrdiff_t tokens, std::ptrdiff_t width) {
  return Layout(tokens, width).bytes;
}

void amxAttention(const AttentionCall& call, void* scratch) {
  const Tiles tiles;
  const Layout layout(call.tokens, call.width);
  const std::ptrdiff_t n = call.tokens;
  auto* memory = static_cast<unsigned char*>(scratch);
  auto* queries = reinterpret_cast<Half*>(memory + layout.queries);
  auto* keys = reinterpret_cast<Half*>(memory + layout.keys);
  auto* values = reinterpret_cast<Half*>(memory + layout.values);
  auto* logits = reinterpret_cast<float*>(memory + layout.logits);
  auto* weights = reinterpret_cast<Half*>(memory + layout.weights);
  auto* log_sizes = reinterpret_cast<float*>(memory + layout.log_sizes);

  for (std::ptrdiff_t token = 0; token < layout.columns; token += kAmxPanel) {
    packTransposed(static_cast<const Half*>(call.k) + token * call.stride, call.stride, n - token,
                   call.width, keys + token * layout.depth);
  }
  packValues(static_cast<const Half*>(call.v), call.stride, n, call.width, layout,
             reinterpret_cast<Pair*>(values));
  for (std::ptrdiff_t i = 0; call.log_sizes != nullptr && i < layout.columns; ++i) {
    log_sizes[i] = i < n ? call.log_sizes[i] : 0.0F;
  }

  const Destination to{call.out, call.out_stride, nullptr, Finish::kNone, Store::kHalf};
  const bool whole_steps = call.width == layout.depth;
  for (std::ptrdiff_t row = call.first_query; row < call.last_query; row += kBlockRows) {
    const std::ptrdiff_t left = call.last_query - row;
    const std::ptrdiff_t rows = left < kBlockRows ? left : kBlockRows;
    const Half* q = static_cast<const Half*>(call.q) + row * call.stride;
    std::ptrdiff_t q_stride = call.stride;
    if (!whole_steps || row + kBlockRows > n) {
      copyRows(q, call.stride, rows, call.width, layout.depth, queries);
      q = queries;
      q_stride = layout.depth;
    }
    for (std::ptrdiff_t column = 0; column < layout.columns; column += kAmxPanel) {
      tileProduct<true>(q, q_stride, keys + column * layout.depth, 2 * kTileHalves,
                        layout.depth / 32, logits + column, layout.columns);
    }
    float shares[kBlockRows];
    for (std::ptrdiff_t m = 0; m < rows; ++m) {
      float* own = logits + m * layout.columns;
      Half* rounded = weights + m * layout.columns;
      const bool shown = row + m == 0 && call.first_row != nullptr;
      shares[m] =
          softmaxRow<true>(own, n, call.scale, call.log_sizes == nullptr ? nullptr : log_sizes,
                           [&](std::ptrdiff_t i, Floats weight) {
                             storeHalf(rounded + i, weight);
                             if (shown) store(own + i, weight);
                           });
      for (std::ptrdiff_t i = fullVectors(n); i < layout.columns; i += kFloats) {
        storeHalf(rounded + i, Floats{});
      }
      for (std::ptrdiff_t i = 0; shown && i < n; ++i) call.first_row[i] = own[i] * shares[m];
    }
    alignas(64) float sums[kBlockRows * kAmxPanel];
    for (std::ptrdiff_t channel = 0; channel < call.width; channel += kAmxPanel) {
      tileProduct<true>(weights, layout.columns, values + channel * layout.columns, 2 * kTileHalves,
                        layout.columns / 32, sums, kAmxPanel);
      const std::ptrdiff_t count =
          call.width - channel < kAmxPanel ? call.width - channel : kAmxPanel;
      for (std::ptrdiff_t m = 0; m < rows; ++m) {
        scaleRow(sums + m * kAmxPanel, count, shares[m]);
        finishRow(to, sums + m * kAmxPanel, row + m, channel, count);
      }
    }
  }
}

}  // namespace adamerge
