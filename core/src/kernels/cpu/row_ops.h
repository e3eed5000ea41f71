// SPDX-License-Identifier: GPL-3.0-or-later
// What products and attention do to a row of sums: softmax, bias, activation and the way to memory.
#pragma once

#include "kernels/cpu/kernel_tables.h"
#include "kernels/cpu/simd.h"

namespace adamerge {
namespace {

/// use(what `finish` does to a vector). `rough`: to the precision of bf16.
template <class Use>
inline void withActivation(Finish finish, bool rough, Use use) {
  switch (finish) {
    case Finish::kGelu:
      return rough ? use([](Floats x) { return roughGelu(x); })
                   : use([](Floats x) { return gelu(x); });
    case Finish::kGeluTanh:
      return use([](Floats x) { return geluTanh(x); });
    case Finish::kQuickGelu:
      return use([](Floats x) { return quickGelu(x); });
    case Finish::kSilu:
      return use([](Floats x) { return silu(x); });
    case Finish::kRelu:
      return use([](Floats x) { return relu(x); });
    case Finish::kNone:
      return use([](Floats x) { return x; });
  }
}

inline void put(const Destination& to, std::ptrdiff_t at, Floats value) {
  if (to.store == Store::kBFloat16) {
    storeBFloat16(static_cast<BFloat16*>(to.data) + at, value);
    return;
  }
  float* address = static_cast<float*>(to.data) + at;
  store(address, to.store == Store::kAddFloat ? load(address) + value : value);
}

/// The last columns, fewer than a vector.
inline void putSome(const Destination& to, std::ptrdiff_t at, Floats value, std::ptrdiff_t count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    if (to.store == Store::kBFloat16) {
      static_cast<BFloat16*>(to.data)[at + i] = toBFloat16(value[i]);
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
  withActivation(to.finish, to.store == Store::kBFloat16, [&](auto activate) {
    std::ptrdiff_t i = 0;
    for (; i + kFloats <= count; i += kFloats) {
      Floats value = load(sums + i);
      if (to.bias != nullptr) value += load(to.bias + column + i);
      put(to, start + i, activate(value));
    }
    if (i == count) return;
    Floats value = load(sums + i);
    for (std::ptrdiff_t k = 0; to.bias != nullptr && k < count - i; ++k) {
      value[k] += to.bias[column + i + k];
    }
    putSome(to, start + i, activate(value), count - i);
  });
}

inline std::ptrdiff_t fullVectors(std::ptrdiff_t count) {
  return (count + kFloats - 1) / kFloats * kFloats;
}

/// The softmax of one query's logits, without its last step: the weights stay as they are and the
/// weighted sum of values, which is shorter, is divided instead.
///
/// Hands put(i, w) the 16 or fewer weights w = exp(scale * logits + bias - their maximum) from
/// i on, for i in steps of a vector up to `count`; those beyond `count` are 1e-38 or less. Returns
/// 1 / their sum. `kRough`: to 16 bits. `logits` are overwritten, and like `bias`, which may
/// be null, reach up to the next full vector.
template <bool kRough, class Put>
inline float softmaxRow(float* logits, std::ptrdiff_t count, float scale, const float* bias,
                        Put put) {
  const std::ptrdiff_t padded = fullVectors(count);
  constexpr float kNever = -1e30F;
  for (std::ptrdiff_t i = count; i < padded; ++i) logits[i] = kNever;
  Floats largest = broadcast(kNever);
  if (bias == nullptr) {
    for (std::ptrdiff_t i = 0; i < padded; i += kFloats)
      largest = larger(largest, load(logits + i));
    largest = largest * scale;
  } else {
    for (std::ptrdiff_t i = 0; i < padded; i += kFloats) {
      const Floats value = load(logits + i) * scale + load(bias + i);
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

/// What is added to the logits of one head: the keys' bias, that of pairs, both or neither.
class Bias {
 public:
  /// `keys`, `row`: memory for fullVectors(call.keys) numbers each.
  Bias(const AttentionCall& call, float* keys, float* row)
      : call_(call), keys_(call.key_bias == nullptr ? nullptr : keys), row_(row) {
    if (keys_ == nullptr) return;
    for (std::ptrdiff_t i = 0; i < fullVectors(call.keys); ++i) {
      keys[i] = i < call.keys ? call.key_bias[i] : 0.0F;
    }
  }
  /// One query's, up to the next full vector, until the next call; null where there is none.
  const float* row(std::ptrdiff_t query) const {
    if (call_.place_terms != nullptr) return placed(query);
    if (call_.pair_bias == nullptr) return keys_;
    const float* pairs = call_.pair_bias + query * call_.pair_stride;
    for (std::ptrdiff_t i = 0; i < fullVectors(call_.keys); ++i) {
      row_[i] = i < call_.keys ? pairs[i] : 0.0F;
    }
    for (std::ptrdiff_t i = 0; keys_ != nullptr && i < call_.keys; ++i) row_[i] += keys_[i];
    return row_;
  }

 private:
  /// What the query's terms give the keys by where these lie.
  const float* placed(std::ptrdiff_t query) const {
    const float* rows = call_.place_terms + query * call_.place_stride;
    const float* columns = rows + call_.place_rows;
    if (call_.key_rows == nullptr) {
      for (std::ptrdiff_t r = 0; r < call_.place_rows; ++r) {
        float* to = row_ + r * call_.place_columns;
        for (std::ptrdiff_t c = 0; c < call_.place_columns; ++c) to[c] = rows[r] + columns[c];
      }
    } else {
      for (std::ptrdiff_t i = 0; i < call_.keys; ++i) {
        row_[i] = rows[call_.key_rows[i]] + columns[call_.key_columns[i]];
      }
      for (std::ptrdiff_t k = 0; k < call_.spread_keys; ++k) {
        const SpreadKey& key = call_.spread[k];
        float sum = 0;
        for (std::ptrdiff_t i = key.first; i < key.last; ++i) {
          sum += rows[call_.spread_terms[i]] * call_.spread_shares[i];
        }
        row_[key.key] = sum;
      }
    }
    for (std::ptrdiff_t i = call_.keys; i < fullVectors(call_.keys); ++i) row_[i] = 0;
    for (std::ptrdiff_t i = 0; keys_ != nullptr && i < call_.keys; ++i) row_[i] += keys_[i];
    return row_;
  }

  const AttentionCall& call_;
  const float* keys_;
  float* row_;
};

/// Up to the next full vector.
inline void scaleRow(float* row, std::ptrdiff_t count, float factor) {
  for (std::ptrdiff_t i = 0; i < count; i += kFloats) store(row + i, load(row + i) * factor);
}

}  // namespace
}  // namespace adamerge
