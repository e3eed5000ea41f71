// SPDX-License-Identifier: GPL-3.0-or-later
// The softmax of one query's logits, without its last step: the weights stay as they are and the
// weighted sum of values, which is shorter, is divided instead.
#pragma once

#include "engine/kernels/simd.h"

namespace adamerge {
namespace {

inline std::ptrdiff_t fullVectors(std::ptrdiff_t count) {
  return (count + kFloats - 1) / kFloats * kFloats;
}

/// `logits` become exp(scale * logits + log_sizes - their maximum) in place, what lies between
/// `count` and the next full vector 1e-38 or less. Returns 1 / their sum. `kRough`: to 16 bits.
/// `log_sizes` may be null; readable up to the next full vector.
template <bool kRough>
inline float softmaxRow(float* logits, std::ptrdiff_t count, float scale, const float* log_sizes) {
  const std::ptrdiff_t padded = fullVectors(count);
  constexpr float kNever = -1e30F;
  Floats largest = broadcast(kNever);
  for (std::ptrdiff_t i = 0; i < padded; i += kFloats) {
    Floats value = load(logits + i) * scale;
    if (log_sizes != nullptr) value += load(log_sizes + i);
    for (std::ptrdiff_t k = count; k < i + kFloats; ++k) value[k - i] = kNever;
    store(logits + i, value);
    largest = larger(largest, value);
  }
  const float top = largestOf(largest);
  Floats sums = {};
  for (std::ptrdiff_t i = 0; i < padded; i += kFloats) {
    const Floats value = load(logits + i) - top;
    const Floats weight = kRough ? roughExponential(value) : exponential(value);
    store(logits + i, weight);
    sums += weight;
  }
  return 1.0F / sumOf(sums);
}

/// Up to the next full vector.
inline void scaleRow(float* row, std::ptrdiff_t count, float factor) {
  for (std::ptrdiff_t i = 0; i < count; i += kFloats) store(row + i, load(row + i) * factor);
}

}  // namespace
}  // namespace adamerge
