// SPDX-License-Identifier: GPL-3.0-or-later
// Layer normalisation of rows, mean and variance in two passes as LibTorch computes them.
#pragma once

#include "engine/kernels/epilogue.h"
#include "engine/kernels/simd.h"

namespace adamerge {
namespace {

/// The sum of f(x[i]) over a row, in a fixed order.
template <class F>
inline float rowSum(const float* x, std::ptrdiff_t columns, F f) {
  Floats sums[4] = {};
  std::ptrdiff_t i = 0;
  for (; i + 4 * kFloats <= columns; i += 4 * kFloats) {
    for (int part = 0; part < 4; ++part) sums[part] += f(load(x + i + part * kFloats));
  }
  for (; i + kFloats <= columns; i += kFloats) sums[0] += f(load(x + i));
  float sum = sumOf((sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (; i < columns; ++i) sum += f(broadcast(x[i]))[0];
  return sum;
}

void layerNorm(const LayerNormCall& call, std::ptrdiff_t first_row, std::ptrdiff_t last_row) {
  const auto columns = static_cast<float>(call.columns);
  Destination to{call.out, call.columns, nullptr, Finish::kNone,
                 call.half ? Store::kHalf : Store::kFloat};
  for (std::ptrdiff_t row = first_row; row < last_row; ++row) {
    const float* x = call.x + row * call.x_stride;
    const float mean = rowSum(x, call.columns, [](Floats v) { return v; }) / columns;
    const float variance =
        rowSum(x, call.columns, [mean](Floats v) { return (v - mean) * (v - mean); }) / columns;
    const float scale = 1.0F / __builtin_sqrtf(variance + call.epsilon);
    const std::ptrdiff_t start = row * call.columns;
    std::ptrdiff_t i = 0;
    for (; i + kFloats <= call.columns; i += kFloats) {
      const Floats normal = (load(x + i) - mean) * scale;
      put(to, start + i, normal * load(call.weight + i) + load(call.bias + i));
    }
    for (; i < call.columns; ++i) {
      const Floats normal = broadcast((x[i] - mean) * scale * call.weight[i] + call.bias[i]);
      putSome(to, start + i, normal, 1);
    }
  }
}

}  // namespace
}  // namespace adamerge
