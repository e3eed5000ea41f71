// SPDX-License-Identifier: GPL-3.0-or-later
// The end of every product: bias, activation and the way to memory, a piece of a row at a time.
#pragma once

#include "engine/kernels/kernel_types.h"
#include "engine/kernels/simd.h"

namespace adamerge {
namespace {

inline Floats finished(Floats x, const Destination& to) {
  switch (to.finish) {
    case Finish::kGelu:
      return to.store == Store::kHalf ? roughGelu(x) : gelu(x);
    case Finish::kGeluTanh:
      return geluTanh(x);
    case Finish::kQuickGelu:
      return quickGelu(x);
    case Finish::kNone:
      break;
  }
  return x;
}

inline void put(const Destination& to, std::ptrdiff_t at, Floats value) {
  if (to.store == Store::kHalf) {
    storeHalf(static_cast<Half*>(to.data) + at, value);
    return;
  }
  float* address = static_cast<float*>(to.data) + at;
  store(address, to.store == Store::kAddFloat ? load(address) + value : value);
}

/// The last columns, fewer than a vector.
inline void putSome(const Destination& to, std::ptrdiff_t at, Floats value, std::ptrdiff_t count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    if (to.store == Store::kHalf) {
      static_cast<Half*>(to.data)[at + i] = toHalf(value[i]);
    } else {
      float& element = static_cast<float*>(to.data)[at + i];
      element = to.store == Store::kAddFloat ? element + value[i] : value[i];
    }
  }
}

/// `sums`: `count` of them, readable up to the next full vector, for `row` from `column` on.
inline void finishRow(const Destination& to, const float* sums, std::ptrdiff_t row,
                      std::ptrdiff_t column, std::ptrdiff_t count) {
  const std::ptrdiff_t start = row * to.stride + column;
  std::ptrdiff_t i = 0;
  for (; i + kFloats <= count; i += kFloats) {
    Floats value = load(sums + i);
    if (to.bias != nullptr) value += load(to.bias + column + i);
    put(to, start + i, finished(value, to));
  }
  if (i == count) return;
  Floats value = load(sums + i);
  for (std::ptrdiff_t k = 0; to.bias != nullptr && k < count - i; ++k) {
    value[k] += to.bias[column + i + k];
  }
  putSome(to, start + i, finished(value, to), count - i);
}

}  // namespace
}  // namespace adamerge
