// SPDX-License-Identifier: GPL-3.0-or-later
// Products of whole numbers, compiled once for each instruction set as fp32.cpp is: rows of 7 bits
// with a scale and a zero point of their own times weights of 8 bits with a scale for each column.
// Seven bits, since AVX2 adds two products in 16 bits before it widens them: 2 * 127 * 127 fits. So
// every instruction set has the same sums.
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/cpu/kernel_tables.h"
#include "kernels/cpu/row_ops.h"

namespace adamerge {
namespace {

constexpr std::ptrdiff_t kStep = Int8Kernels::kStep;
/// Of those whose sums fit in registers.
constexpr int kVectors = kVectorBytes == 64 ? 4 : 2;
constexpr int kRows = kVectorBytes == 64 ? 6 : 4;
constexpr std::ptrdiff_t kPanel = std::ptrdiff_t{kVectors} * kFloats;
/// Of the values, from 0 on, and of the weights, either way.
constexpr float kLargest = 127.0F;

/// To the nearest, ties to even; what lies beyond them or is no number becomes any.
inline Ints rounded(Floats x) {
#if defined(__AVX512F__)
  return reinterpret_cast<Ints>(_mm512_maskz_cvtps_epi32(0xFFFF, x));
#elif defined(__AVX2__)
  return reinterpret_cast<Ints>(_mm256_cvtps_epi32(x));
#elif defined(__SSE2__)
  return reinterpret_cast<Ints>(_mm_cvtps_epi32(x));
#else
  Ints result;
  for (int i = 0; i < kFloats; ++i) result[i] = static_cast<std::int32_t>(__builtin_lrintf(x[i]));
  return result;
#endif
}

/// sums[c] += values[0..3] . weights[4 c .. 4 c + 3], of `values` four bytes again and again.
inline Ints plusProducts(Ints sums, Ints values, Ints weights) {
#if defined(__AVX512VNNI__)
  return reinterpret_cast<Ints>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sums),
                                                    reinterpret_cast<__m512i>(values),
                                                    reinterpret_cast<__m512i>(weights)));
#elif defined(__AVX512BW__)
  const __m512i pairs =
      _mm512_maddubs_epi16(reinterpret_cast<__m512i>(values), reinterpret_cast<__m512i>(weights));
  return sums + reinterpret_cast<Ints>(_mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
#elif defined(__AVX2__)
  const __m256i pairs =
      _mm256_maddubs_epi16(reinterpret_cast<__m256i>(values), reinterpret_cast<__m256i>(weights));
  return sums + reinterpret_cast<Ints>(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#else
#pragma GCC unroll 4
  for (int byte = 0; byte < 4; ++byte) {
    const int shift = 24 - 8 * byte;
    sums += ((values << shift) >> 24) * ((weights << shift) >> 24);
  }
  return sums;
#endif
}

void pack(const float* weight, std::ptrdiff_t columns, std::ptrdiff_t k, std::int8_t* packed,
          Int8Column* scales) {
  const std::ptrdiff_t steps = Int8Kernels::steps(k);
  for (std::ptrdiff_t first = 0; first < columns; first += kPanel) {
    std::int8_t* panel = packed + first * steps * kStep;
    for (std::ptrdiff_t c = 0; c < kPanel; ++c) {
      const std::ptrdiff_t column = first + c;
      const float* from = weight + column * k;
      const std::ptrdiff_t count = column < columns ? k : 0;
      float largest = 0;
      for (std::ptrdiff_t i = 0; i < count; ++i) {
        const float size = __builtin_fabsf(from[i]);
        largest = size > largest ? size : largest;
      }
      const float inverse = largest > 0 ? kLargest / largest : 0.0F;
      std::int32_t sum = 0;
      for (std::ptrdiff_t i = 0; i < steps * kStep; ++i) {
        const auto value =
            i < count ? static_cast<std::int32_t>(__builtin_lrintf(from[i] * inverse)) : 0;
        panel[(i / kStep * kPanel + c) * kStep + i % kStep] = static_cast<std::int8_t>(value);
        sum += value;
      }
      if (column < columns) scales[column] = {largest / kLargest, sum};
    }
  }
}

template <class In>
Int8Row quantisedRow(const In* x, std::ptrdiff_t k, std::uint8_t* values) {
  using Bytes = std::uint8_t __attribute__((vector_size(kFloats)));
  const std::ptrdiff_t whole = k / kFloats * kFloats;
  // Zero is among the values, so it has one of its own.
  Floats low = {};
  Floats high = {};
  Floats wrong = {};  // NaN where one of them is infinite or no number
  const auto look = [&](Floats v) {
    low = smaller(low, v);
    high = larger(high, v);
    wrong += v * 0.0F;
  };
  for (std::ptrdiff_t i = 0; i < whole; i += kFloats) look(loadFloats(x + i));
  const Floats last = loadSome(x + whole, k - whole);
  look(last);
  const float range = largestOf(high) + largestOf(-low);
  const float harm = sumOf(wrong);
  // The whole row is no number then; that of an infinite value is no whole one to add to.
  const bool usable = range > 0 && harm == 0;
  const float inverse = usable ? kLargest / range : 0.0F;
  const std::int32_t zero = usable ? rounded(broadcast(largestOf(-low) * inverse))[0] : 0;
  const auto put = [&](std::ptrdiff_t at, Floats v, std::ptrdiff_t count) {
    Ints value = rounded(v * inverse) + zero;
    value = value > 127 ? Ints{} + 127 : value;
    value = value < 0 ? Ints{} : value;
    const Bytes bytes = __builtin_convertvector(value, Bytes);
    std::memcpy(values + at, &bytes, static_cast<std::size_t>(count));
  };
  for (std::ptrdiff_t i = 0; i < whole; i += kFloats) put(i, loadFloats(x + i), kFloats);
  put(whole, last, k - whole);
  for (std::ptrdiff_t i = k; i < Int8Kernels::steps(k) * kStep; ++i) values[i] = 0;
  return {range / kLargest + harm, zero};
}

void quantise(const void* x, bool bfloat16, std::ptrdiff_t k, std::uint8_t* values, Int8Row* row) {
  *row = bfloat16 ? quantisedRow(static_cast<const BFloat16*>(x), k, values)
                  : quantisedRow(static_cast<const float*>(x), k, values);
}

/// Over M rows and a panel.
template <int M>
void block(const std::uint8_t* x, std::ptrdiff_t stride, std::ptrdiff_t steps,
           const std::int8_t* panel, std::int32_t* sums) {
  Ints own[M][kVectors] = {};
  for (std::ptrdiff_t i = 0; i < steps; ++i, panel += kPanel * kStep) {
    Ints weights[kVectors];
#pragma GCC unroll 4
    for (int n = 0; n < kVectors; ++n)
      std::memcpy(&weights[n], panel + n * kVectorBytes, kVectorBytes);
#pragma GCC unroll 6
    for (int m = 0; m < M; ++m) {
      std::int32_t four = 0;
      std::memcpy(&four, x + m * stride + i * kStep, sizeof four);
      const Ints values = broadcast(four);
#pragma GCC unroll 4
      for (int n = 0; n < kVectors; ++n) own[m][n] = plusProducts(own[m][n], values, weights[n]);
    }
  }
#pragma GCC unroll 6
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int n = 0; n < kVectors; ++n) store(sums + m * kPanel + n * kFloats, own[m][n]);
  }
}

void product(const std::uint8_t* x, const Int8Row* scales, std::ptrdiff_t rows, std::ptrdiff_t k,
             const std::int8_t* panels, const Int8Column* column_scales, std::ptrdiff_t first,
             std::ptrdiff_t last, std::ptrdiff_t columns, const Destination& to) {
  using Block = decltype(&block<1>);
#if defined(__AVX512F__)
  static constexpr Block kBlocks[kRows] = {block<1>, block<2>, block<3>,
                                           block<4>, block<5>, block<6>};
#else
  static constexpr Block kBlocks[kRows] = {block<1>, block<2>, block<3>, block<4>};
#endif
  const std::ptrdiff_t steps = Int8Kernels::steps(k);
  const std::ptrdiff_t stride = steps * kStep;
  alignas(64) std::int32_t sums[kRows * kPanel];
  alignas(64) float results[kPanel];
  for (std::ptrdiff_t panel = first; panel < last; ++panel) {
    const std::ptrdiff_t column = panel * kPanel;
    const std::ptrdiff_t count = columns - column < kPanel ? columns - column : kPanel;
    alignas(64) float scale[kPanel] = {};
    alignas(64) std::int32_t total[kPanel] = {};
    for (std::ptrdiff_t c = 0; c < count; ++c) {
      scale[c] = column_scales[column + c].scale;
      total[c] = column_scales[column + c].sum;
    }
    for (std::ptrdiff_t row = 0; row < rows; row += kRows) {
      const std::ptrdiff_t present = rows - row < kRows ? rows - row : kRows;
      kBlocks[present - 1](x + row * stride, stride, steps, panels + column * stride, sums);
      for (std::ptrdiff_t m = 0; m < present; ++m) {
        const Int8Row own = scales[row + m];
        for (std::ptrdiff_t c = 0; c < count; c += kFloats) {
          const Ints whole = load(sums + m * kPanel + c) - load(total + c) * own.zero;
          store(results + c,
                __builtin_convertvector(whole, Floats) * (load(scale + c) * own.scale));
        }
        finishRow(to, results, row + m, column, count);
      }
    }
  }
}

}  // namespace

extern const Int8Kernels ADAMERGE_KERNELS;
const Int8Kernels ADAMERGE_KERNELS = {
    .panel = kPanel, .rows = kRows, .pack = pack, .quantise = quantise, .product = product};

}  // namespace adamerge
