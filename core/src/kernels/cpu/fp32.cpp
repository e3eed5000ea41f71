// SPDX-License-Identifier: GPL-3.0-or-later
// The fp32 kernels as compiled for one instruction set: what is done to each row by itself, and
// attention of one head, a few query rows at a time: their logits, softmax and weighted sum of
// values stay in the first-level cache, and no [tokens, tokens] matrix is ever written. CMake
// compiles this file once for each, and says with ADAMERGE_KERNELS what its table is called.
#include "kernels/cpu/fp32_matching.h"
#include "kernels/cpu/fp32_products.h"
#include "kernels/cpu/kernel_tables.h"
#include "kernels/cpu/row_ops.h"
#include "kernels/cpu/simd.h"

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

/// Mean and variance in two passes, as LibTorch computes them.
template <bool kBias>
void normRowsAs(const NormCall& call, std::ptrdiff_t first_row, std::ptrdiff_t last_row) {
  const auto columns = static_cast<float>(call.columns);
  const Destination to{call.out, call.columns, nullptr, Finish::kNone, call.store};
  for (std::ptrdiff_t row = first_row; row < last_row; ++row) {
    const float* x = call.x + row * call.x_stride;
    const float mean =
        call.rms ? 0.0F : rowSum(x, call.columns, [](Floats v) { return v; }) / columns;
    const float variance =
        rowSum(x, call.columns, [mean](Floats v) { return (v - mean) * (v - mean); }) / columns;
    const float scale = 1.0F / __builtin_sqrtf(variance + call.epsilon);
    const std::ptrdiff_t start = row * call.columns;
    std::ptrdiff_t i = 0;
    for (; i + kFloats <= call.columns; i += kFloats) {
      const Floats normal = (load(x + i) - mean) * scale;
      if constexpr (kBias) {
        put(to, start + i, normal * load(call.weight + i) + load(call.bias + i));
      } else {
        put(to, start + i, normal * load(call.weight + i));
      }
    }
    for (; i < call.columns; ++i) {
      const float bias = kBias ? call.bias[i] : 0.0F;
      const Floats normal = broadcast((x[i] - mean) * scale * call.weight[i] + bias);
      putSome(to, start + i, normal, 1);
    }
  }
}

void normRows(const NormCall& call, std::ptrdiff_t first_row, std::ptrdiff_t last_row) {
  (call.bias == nullptr ? normRowsAs<false> : normRowsAs<true>)(call, first_row, last_row);
}

inline void storeFloats(float* to, Floats value) { store(to, value); }
inline void storeFloats(BFloat16* to, Floats value) { storeBFloat16(to, value); }
inline void storeFloat(float* to, float value) { *to = value; }
inline void storeFloat(BFloat16* to, float value) { *to = toBFloat16(value); }

template <class In>
void gatedRowsOf(const GatedCall& call, std::ptrdiff_t first_row, std::ptrdiff_t last_row) {
  const Destination to{call.out, call.columns, nullptr, call.finish, call.store};
  for (std::ptrdiff_t row = first_row; row < last_row; ++row) {
    const In* gate = static_cast<const In*>(call.gate) + row * call.gate_stride;
    const In* up = static_cast<const In*>(call.up) + row * call.up_stride;
    const std::ptrdiff_t start = row * call.columns;
    withActivation(call.finish, call.store == Store::kBFloat16, [&](auto activate) {
      std::ptrdiff_t i = 0;
      for (; i + kFloats <= call.columns; i += kFloats) {
        put(to, start + i, activate(loadFloats(gate + i)) * loadFloats(up + i));
      }
      const std::ptrdiff_t left = call.columns - i;
      if (left == 0) return;
      putSome(to, start + i, activate(loadSome(gate + i, left)) * loadSome(up + i, left), left);
    });
  }
}

void gatedRows(const GatedCall& call, std::ptrdiff_t first_row, std::ptrdiff_t last_row) {
  (call.bfloat16 ? gatedRowsOf<BFloat16> : gatedRowsOf<float>)(call, first_row, last_row);
}

/// One vector of pairs (k, k + g).
template <class T>
inline void rotateHalves(T* x, const float* cosines, const float* sines, std::ptrdiff_t g) {
  std::ptrdiff_t k = 0;
  for (; k + kFloats <= g; k += kFloats) {
    const Floats a = loadFloats(x + k);
    const Floats b = loadFloats(x + k + g);
    const Floats c = load(cosines + k);
    const Floats s = load(sines + k);
    storeFloats(x + k, a * c - b * s);
    storeFloats(x + k + g, b * c + a * s);
  }
  for (; k < g; ++k) {
    const float a = toFloat(x[k]);
    const float b = toFloat(x[k + g]);
    storeFloat(x + k, a * cosines[k] - b * sines[k]);
    storeFloat(x + k + g, b * cosines[k] + a * sines[k]);
  }
}

/// One vector of pairs (2 k, 2 k + 1).
template <class T>
inline void rotatePairs(T* x, const float* cosines, const float* sines, std::ptrdiff_t g) {
  Ints twice[2];  // of which angle each element of two vectors has
  Ints partner;
  Floats sign;
  for (int i = 0; i < kFloats; ++i) {
    twice[0][i] = i / 2;
    twice[1][i] = kFloats / 2 + i / 2;
    partner[i] = i ^ 1;
    sign[i] = i % 2 == 0 ? -1.0F : 1.0F;
  }
  std::ptrdiff_t k = 0;
  for (; k + kFloats <= g; k += kFloats) {
    const Floats c = load(cosines + k);
    const Floats s = load(sines + k);
    for (int part = 0; part < 2; ++part) {
      T* own = x + 2 * k + part * kFloats;
      const Floats u = loadFloats(own);
      const Floats turned = __builtin_shuffle(u, partner) * sign;
      storeFloats(
          own, u * __builtin_shuffle(c, twice[part]) + turned * __builtin_shuffle(s, twice[part]));
    }
  }
  for (; k < g; ++k) {
    const float a = toFloat(x[2 * k]);
    const float b = toFloat(x[2 * k + 1]);
    storeFloat(x + 2 * k, a * cosines[k] - b * sines[k]);
    storeFloat(x + 2 * k + 1, b * cosines[k] + a * sines[k]);
  }
}

template <class T>
void rotateRowsOf(const RotateCall& call, std::ptrdiff_t first_row, std::ptrdiff_t last_row) {
  const auto rotate = call.halves ? rotateHalves<T> : rotatePairs<T>;
  for (std::ptrdiff_t row = first_row; row < last_row; ++row) {
    for (std::ptrdiff_t head = 0; head < call.heads; ++head) {
      const std::ptrdiff_t angles = row * call.angle_row_stride + head * call.angle_head_stride;
      rotate(static_cast<T*>(call.x) + row * call.row_stride + head * call.head_stride,
             call.cosines + angles, call.sines + angles, call.width / 2);
    }
  }
}

void rotateRows(const RotateCall& call, std::ptrdiff_t first_row, std::ptrdiff_t last_row) {
  (call.bfloat16 ? rotateRowsOf<BFloat16> : rotateRowsOf<float>)(call, first_row, last_row);
}

template <class T>
inline std::ptrdiff_t panelsFor(std::ptrdiff_t columns) {
  return (columns + kPanel<T> - 1) / kPanel<T>;
}

/// Queries that go over all keys and values together, since of many tokens these do not stay in the
/// second-level cache.
constexpr std::ptrdiff_t kQueryRows = 4 * kBlockRows;
static_assert(kQueryBlock % kQueryRows == 0);
/// Tokens whose values do.
constexpr std::ptrdiff_t kCachedTokens = 256;

std::ptrdiff_t attentionScratch(std::ptrdiff_t keys, std::ptrdiff_t width) {
  const std::ptrdiff_t columns = panelsFor<float>(keys) * kPanel<float>;
  const std::ptrdiff_t elements = columns * width + panelsFor<float>(width) * kPanel<float> * keys +
                                  kQueryRows * columns + kQueryRows * kPanel<float> + 2 * columns;
  return elements * static_cast<std::ptrdiff_t>(sizeof(float));
}

void attendHead(const AttentionCall& call, void* scratch) {
  const std::ptrdiff_t n = call.keys;
  const std::ptrdiff_t width = call.width;
  const std::ptrdiff_t columns = panelsFor<float>(n) * kPanel<float>;
  auto* keys = static_cast<float*>(scratch);  // panels of [width, tokens]
  float* values = keys + columns * width;     // panels of [tokens, width]
  float* logits = values + panelsFor<float>(width) * kPanel<float> * n;  // [kQueryRows, columns]
  float* sums = logits + kQueryRows * columns;
  float* key_bias = sums + kQueryRows * kPanel<float>;
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
  for (std::ptrdiff_t row = call.first_query; row < call.last_query; row += kQueryRows) {
    const std::ptrdiff_t left = call.last_query - row;
    const std::ptrdiff_t rows = left < kQueryRows ? left : kQueryRows;
    const auto forBlocks = [rows](auto work) {
      for (std::ptrdiff_t m = 0; m < rows; m += kBlockRows) {
        work(m, rows - m < kBlockRows ? rows - m : kBlockRows);
      }
    };
    for (std::ptrdiff_t column = 0; column < columns; column += kPanel<float>) {
      forBlocks([&](std::ptrdiff_t m, std::ptrdiff_t block) {
        blockProductOf<float>(block, vectorsFor<float>(n - column))(
            q + (row + m) * call.q_stride, call.q_stride, keys + column * width, width,
            logits + m * columns + column, columns, Sums::kReplaced);
      });
    }
    float shares[kQueryRows];
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
      for (std::ptrdiff_t token = 0; token < n; token += kCachedTokens) {
        const std::ptrdiff_t tokens = n - token < kCachedTokens ? n - token : kCachedTokens;
        forBlocks([&](std::ptrdiff_t m, std::ptrdiff_t block) {
          blockProductOf<float>(block, vectorsFor<float>(count))(
              logits + m * columns + token, columns, values + first * n + token * kPanel<float>,
              tokens, sums + m * kPanel<float>, kPanel<float>,
              token == 0 ? Sums::kReplaced : Sums::kContinued);
        });
      }
      for (std::ptrdiff_t m = 0; m < rows; ++m) {
        scaleRow(sums + m * kPanel<float>, count, shares[m]);
        finishRow(to, sums + m * kPanel<float>, row + m, first, count);
      }
    }
  }
}

}  // namespace

extern const FloatKernels ADAMERGE_KERNELS;
const FloatKernels ADAMERGE_KERNELS = {.panel = kPanel<float>,
                                       .product = product,
                                       .norm = normRows,
                                       .gated = gatedRows,
                                       .rotate = rotateRows,
                                       .attention = attendHead,
                                       .attentionScratch = attentionScratch,
                                       .dotProducts = dotProducts,
                                       .dotPieces = dotPieces,
                                       .dotScratch = dotScratch,
                                       .softmaxColumnSums = softmaxColumnSums,
                                       .eluMeans = eluMeans,
                                       .best = best,
                                       .headMeans = headMeans};

}  // namespace adamerge
