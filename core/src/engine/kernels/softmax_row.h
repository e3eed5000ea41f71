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

/// Hands put(i, w) the 16 or fewer weights w = exp(scale * logits + log_sizes - their maximum) from
/// i on, for i in steps of a vector up to `count`; those beyond `count` are 1e-38 or less. Returns
/// 1 / their sum. `kRough`: to 16 bits. `logits` are overwritten, and like `log_sizes`, which may
/// be null, reach up to the next full vector.
template <bool kRough, class Put>
inline float softmaxRow(float* logits, std::ptrdiff_t count, float scale, const float* log_sizes,
                        Put put) {
  const std::ptrdiff_t padded = fullVectors(count);
  constexpr float kNever = -1e30F;
  for (std::ptrdiff_t i = count; i < padded; ++i) logits[i] = kNever;
  Floats largest = broadcast(kNever);
  if (log_sizes == nullptr) {
    for (std::ptrdiff_t i = 0; i < padded; i += kFloats)
      largest = larger(largest, load(logits + i));
    largest = largest * scale;
  } else {
    for (std::ptrdiff_t i = 0; i < padded; i += kFloats) {
      const Floats value = load(logits + i) * scale + load(log_sizes + i);
      store(logits + i, value);
      largest = larger(largest, value);
    }
    scale = 1.0F;
  }
  const float top = largestOf(largest);
  Floats sums = {};
  for (std::ptrdiff_t i = 0; i < padded; i += kFloats) {
    const Floats value = load(logits + i) * scale - top;
    const Floats weight = kRough ? roughExponential(value) : exponential(value);
    put(i, weight);
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
