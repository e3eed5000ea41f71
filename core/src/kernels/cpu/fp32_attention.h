// SPDX-License-Identifier: GPL-3.0-or-later
// Attention of one head, a few query rows at a time: their logits, softmax and weighted sum of
// values stay in the first-level cache, and no [tokens, tokens] matrix is ever written.
#pragma once

#include "kernels/cpu/fp32_product.h"
#include "kernels/cpu/row_ops.h"

namespace adamerge {
namespace {

template <class T>
inline std::ptrdiff_t panelsFor(std::ptrdiff_t columns) {
  return (columns + kPanel<T> - 1) / kPanel<T>;
}

std::ptrdiff_t attentionScratch(std::ptrdiff_t keys, std::ptrdiff_t width) {
  const std::ptrdiff_t columns = panelsFor<float>(keys) * kPanel<float>;
  const std::ptrdiff_t elements = columns * width + panelsFor<float>(width) * kPanel<float> * keys +
                                  kBlockRows * columns + kBlockRows * kPanel<float> + 2 * columns;
  return elements * static_cast<std::ptrdiff_t>(sizeof(float));
}

void attendHead(const AttentionCall& call, void* scratch) {
  const std::ptrdiff_t n = call.keys;
  const std::ptrdiff_t width = call.width;
  const std::ptrdiff_t token_panels = panelsFor<float>(n);
  const std::ptrdiff_t columns = token_panels * kPanel<float>;
  auto* keys = static_cast<float*>(scratch);  // panels of [width, tokens]
  float* values = keys + columns * width;     // panels of [tokens, width]
  float* logits = values + panelsFor<float>(width) * kPanel<float> * n;  // [kBlockRows, columns]
  float* sums = logits + kBlockRows * columns;
  float* key_bias = sums + kBlockRows * kPanel<float>;
  float* row_bias = key_bias + columns;
  const auto* q = static_cast<const float*>(call.q);
  const auto* k = static_cast<const float*>(call.k);
  const auto* v = static_cast<const float*>(call.v);

  for (std::ptrdiff_t token = 0; token < columns; token += kFloats) {
    transposeRows(k + token * call.kv_stride, call.kv_stride, n - token, width,
                  keys + token / kPanel<float> * width * kPanel<float> + token % kPanel<float>,
                  kPanel<float>);
  }
  for (std::ptrdiff_t first = 0; first < width; first += kPanel<float>) {
    const std::ptrdiff_t count = width - first < kPanel<float> ? width - first : kPanel<float>;
    float* to = values + first * n;
    for (std::ptrdiff_t token = 0; token < n; ++token, to += kPanel<float>) {
      const float* from = v + token * call.kv_stride + first;
      for (std::ptrdiff_t i = 0; i < kPanel<float>; ++i) to[i] = i < count ? from[i] : 0.0F;
    }
  }
  const Bias bias(call, key_bias, row_bias);

  const Destination to{call.out, call.out_stride};
  for (std::ptrdiff_t row = call.first_query; row < call.last_query; row += kBlockRows) {
    const std::ptrdiff_t left = call.last_query - row;
    const std::ptrdiff_t rows = left < kBlockRows ? left : kBlockRows;
    for (std::ptrdiff_t panel = 0; panel < token_panels; ++panel) {
      const std::ptrdiff_t column = panel * kPanel<float>;
      blockProductOf<float>(rows, vectorsFor<float>(n - column))(
          q + row * call.q_stride, call.q_stride, keys + column * width, width, logits + column,
          columns);
    }
    float shares[kBlockRows];
    for (std::ptrdiff_t m = 0; m < rows; ++m) {
      float* own = logits + m * columns;
      shares[m] =
          softmaxRow<false>(own, n, call.scale, bias.row(row + m),
                            [own](std::ptrdiff_t i, Floats weight) { store(own + i, weight); });
    }
    if (row == 0 && call.first_row != nullptr) {
      for (std::ptrdiff_t i = 0; i < n; ++i) call.first_row[i] = logits[i] * shares[0];
    }
    if (call.column_sums != nullptr) {
      float* column_sums = call.column_sums + row / kQueryBlock * n;
      for (std::ptrdiff_t m = 0; m < rows; ++m) {
        const float* own = logits + m * columns;
        for (std::ptrdiff_t i = 0; i < n; ++i) column_sums[i] += own[i] * shares[m];
      }
    }
    for (std::ptrdiff_t first = 0; first < width; first += kPanel<float>) {
      const std::ptrdiff_t count = width - first < kPanel<float> ? width - first : kPanel<float>;
      blockProductOf<float>(rows, vectorsFor<float>(count))(logits, columns, values + first * n, n,
                                                            sums, kPanel<float>);
      for (std::ptrdiff_t m = 0; m < rows; ++m) {
        scaleRow(sums + m * kPanel<float>, count, shares[m]);
        finishRow(to, sums + m * kPanel<float>, row + m, first, count);
      }
    }
  }
}

}  // namespace
}  // namespace adamerge
