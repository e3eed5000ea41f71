// SPDX-License-Identifier: GPL-3.0-or-later
// Vectors as wide as the file that includes this is compiled for, and the functions over them that
// a transformer needs. Everything lies in an unnamed namespace: the same source compiled for two
// instruction sets must not be merged by the linker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace adamerge {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <int kBytes>
struct IndexOf {
  using Type = std::int32_t;
};
template <>
struct IndexOf<8> {
  using Type = std::int64_t;
};

template <class T>
struct Simd {
  typedef T Vector __attribute__((vector_size(kVectorBytes)));
  /// The same where its address is only aligned for T.
  typedef T Loose __attribute__((vector_size(kVectorBytes), aligned(alignof(T)), may_alias));
  typedef typename IndexOf<sizeof(T)>::Type Indices __attribute__((vector_size(kVectorBytes)));
  static constexpr int kWidth = kVectorBytes / static_cast<int>(sizeof(T));
};

using Floats = Simd<float>::Vector;
using Ints = Simd<std::int32_t>::Vector;
constexpr int kFloats = Simd<float>::kWidth;

template <class T>
inline typename Simd<T>::Vector load(const T* from) {
  return *reinterpret_cast<const typename Simd<T>::Loose*>(from);
}
/// As many elements as a vector of T has, converted to it.
template <class T, class In>
inline typename Simd<T>::Vector loadAs(const In* from) {
  typedef In Narrow
      __attribute__((vector_size(Simd<T>::kWidth * sizeof(In)), aligned(alignof(In)), may_alias));
  return __builtin_convertvector(*reinterpret_cast<const Narrow*>(from), typename Simd<T>::Vector);
}
template <class T>
inline void store(T* to, typename Simd<T>::Vector value) {
  *reinterpret_cast<typename Simd<T>::Loose*>(to) = value;
}
template <class T>
inline typename Simd<T>::Vector broadcast(T value) {
  return value - typename Simd<T>::Vector{};
}
// a > b ? a : b, and so b where one is NaN: the processor's own instruction, which the compiler
// does not find.
inline Floats larger(Floats a, Floats b) {
#if defined(__AVX512F__)
  return _mm512_maskz_max_ps(0xFFFF, a, b);
#elif defined(__AVX__)
  return _mm256_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}
inline Floats smaller(Floats a, Floats b) {
#if defined(__AVX512F__)
  return _mm512_maskz_min_ps(0xFFFF, a, b);
#elif defined(__AVX__)
  return _mm256_min_ps(a, b);
#else
  return a < b ? a : b;
#endif
}

/// Indices for shuffles. Constants: a vector that is filled in a loop is filled anew each time.
template <class T>
struct Pattern {
  typename IndexOf<sizeof(T)>::Type indices[Simd<T>::kWidth];
  template <class F>
  constexpr explicit Pattern(F at) : indices() {
    for (int i = 0; i < Simd<T>::kWidth; ++i) indices[i] = at(i);
  }
  operator typename Simd<T>::Indices() const {
    typename Simd<T>::Indices vector;
    std::memcpy(&vector, indices, sizeof(vector));
    return vector;
  }
};

/// Halves are folded onto each other, so that equal vectors give equal results.
template <class T, int half = Simd<T>::kWidth / 2, class F>
inline T folded(typename Simd<T>::Vector v, F f) {
  if constexpr (half == 0) {
    return v[0];
  } else {
    static constexpr Pattern<T> kOther([](int i) { return i ^ half; });
    const typename Simd<T>::Indices other = kOther;
    return folded<T, half / 2>(f(v, __builtin_shuffle(v, other)), f);
  }
}
inline float sumOf(Floats v) {
  return folded<float>(v, [](Floats a, Floats b) { return a + b; });
}
inline float largestOf(Floats v) { return folded<float>(v, larger); }

/// Rows become columns: kWidth vectors of as many elements, blocks of 1, 2, 4, ... in turn.
template <class T, int step = 1>
inline void transpose(typename Simd<T>::Vector (&rows)[Simd<T>::kWidth]) {
  constexpr int kWidth = Simd<T>::kWidth;
  if constexpr (step < kWidth) {
    static constexpr Pattern<T> kUpper(
        [](int i) { return (i & step) == 0 ? i : kWidth + i - step; });
    static constexpr Pattern<T> kLower(
        [](int i) { return (i & step) == 0 ? i + step : kWidth + i; });
    const typename Simd<T>::Indices upper = kUpper;
    const typename Simd<T>::Indices lower = kLower;
#pragma GCC unroll 16
    for (int i = 0; i < kWidth; ++i) {
      if ((i & step) != 0) continue;
      const typename Simd<T>::Vector first = rows[i];
      const typename Simd<T>::Vector second = rows[i + step];
      rows[i] = __builtin_shuffle(first, second, upper);
      rows[i + step] = __builtin_shuffle(first, second, lower);
    }
    transpose<T, 2 * step>(rows);
  }
}

/// to[i][column] = from[column][i] for `rows` i and kWidth columns, of which `present` have rows to
/// read; the others become zeros. `stride`: from row to row of `from`, `to_stride` likewise.
template <class In, class T>
inline void transposeRows(const In* from, std::ptrdiff_t stride, std::ptrdiff_t present,
                          std::ptrdiff_t rows, T* to, std::ptrdiff_t to_stride) {
  using Vector = typename Simd<T>::Vector;
  constexpr std::ptrdiff_t kWidth = Simd<T>::kWidth;
  std::ptrdiff_t i = 0;
  for (; i + kWidth <= rows; i += kWidth) {
    Vector block[kWidth];
#pragma GCC unroll 16
    for (std::ptrdiff_t column = 0; column < kWidth; ++column) {
      block[column] = column < present ? loadAs<T>(from + column * stride + i) : Vector{};
    }
    transpose<T>(block);
#pragma GCC unroll 16
    for (std::ptrdiff_t k = 0; k < kWidth; ++k) store(to + (i + k) * to_stride, block[k]);
  }
  for (; i < rows; ++i) {
    for (std::ptrdiff_t column = 0; column < kWidth; ++column) {
      to[i * to_stride + column] =
          column < present ? static_cast<T>(from[column * stride + i]) : T{0};
    }
  }
}

/// e^x to 2 ulp; 1e-38 below -87, 2e38 above 88.
inline Floats exponential(Floats x) {
  x = smaller(larger(x, broadcast(-87.0F)), broadcast(88.0F));
  // x = n ln 2 + r with |r| <= ln 2 / 2; adding 1.5 * 2^23 rounds to an integer.
  constexpr float kRound = 12582912.0F;
  const Floats shifted = x * 1.44269504F + kRound;
  const Floats n = shifted - kRound;
  const Floats r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  Floats p = broadcast(1.9875691500e-4F);
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  // The low bits of the shifted number are n itself.
  const Ints exponent = reinterpret_cast<Ints>(shifted) << 23;
  return reinterpret_cast<Floats>(reinterpret_cast<Ints>(p) + exponent);
}

/// The same to 16 bits, for what bf16 rounds to 8.
inline Floats roughExponential(Floats x) {
  x = smaller(larger(x, broadcast(-87.0F)), broadcast(88.0F));
  constexpr float kRound = 12582912.0F;
  const Floats shifted = x * 1.44269504F + kRound;
  const Floats r = x - (shifted - kRound) * 0.693147181F;
  Floats p = r * 4.1666667e-2F + 1.6666667e-1F;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const Ints exponent = reinterpret_cast<Ints>(shifted) << 23;
  return reinterpret_cast<Floats>(reinterpret_cast<Ints>(p) + exponent);
}

/// The same in fp64.
inline Simd<double>::Vector exponential(Simd<double>::Vector x) {
  using Vector = Simd<double>::Vector;
  using Integers = Simd<std::int64_t>::Vector;
  const Vector low = broadcast(-708.0);
  const Vector high = broadcast(708.0);
  x = x < low ? low : x;
  x = x > high ? high : x;
  constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52
  const Vector shifted = x * 1.4426950408889634 + kRound;
  const Vector n = shifted - kRound;
  const Vector r = (x - n * 6.93145751953125e-1) - n * 1.42860682030941723212e-6;
  // The Taylor series: its first term left out is below 2^-57.
  constexpr double kSeries[] = {1.0 / 479001600,
                                1.0 / 39916800,
                                1.0 / 3628800,
                                1.0 / 362880,
                                1.0 / 40320,
                                1.0 / 5040,
                                1.0 / 720,
                                1.0 / 120,
                                1.0 / 24,
                                1.0 / 6,
                                0.5,
                                1.0,
                                1.0};
  Vector p = broadcast(1.0 / 6227020800);
  for (const double coefficient : kSeries) p = p * r + coefficient;
  const Integers exponent = reinterpret_cast<Integers>(shifted) << 52;
  return reinterpret_cast<Vector>(reinterpret_cast<Integers>(p) + exponent);
}

/// To 2 ulp: a polynomial near zero, 1 - exp(polynomial) elsewhere.
inline Floats errorFunction(Floats x) {
  const Ints sign = reinterpret_cast<Ints>(x) & INT32_MIN;
  const Floats t = reinterpret_cast<Floats>(reinterpret_cast<Ints>(x) & INT32_MAX);
  const Floats s = x * x;
  Floats far = t * -1.72853470e-5F + 3.83197126e-4F;
  const Floats odd = t * -3.88396438e-3F + 2.42546219e-2F;
  far = far * s + odd;
  far = far * t - 1.06777877e-1F;
  far = far * t - 6.34846687e-1F;
  far = far * t - 1.28717512e-1F;
  far = far * t - t;
  far = 1.0F - exponential(far);
  far = reinterpret_cast<Floats>(reinterpret_cast<Ints>(far) | sign);
  Floats near = s * -5.96761703e-4F + 4.99119423e-3F;
  near = near * s - 2.67681349e-2F;
  near = near * s + 1.12819925e-1F;
  near = near * s - 3.76125336e-1F;
  near = near * s + 1.28379166e-1F;
  near = near * x + x;
  return t > 0.927734375F ? far : near;
}

/// 1 / x to 14 bits where the processor has that.
inline Floats roughInverse(Floats x) {
#if defined(__AVX512F__)
  return _mm512_maskz_rcp14_ps(0xFFFF, x);
#else
  return 1.0F / x;
#endif
}

inline Floats sigmoid(Floats x) { return 1.0F / (1.0F + exponential(-x)); }
inline Floats gelu(Floats x) { return 0.5F * x * (1.0F + errorFunction(x * 0.707106781F)); }
/// To 3e-5, for what bf16 rounds: the logistic function of an odd polynomial fitted to it.
inline Floats roughGelu(Floats x) {
  const Floats s = smaller(x * x, broadcast(49.0F));
  const Floats y = x * (-1.59500636F + s * (-0.0740231977F + s * 0.000705503951F));
  return x * roughInverse(1.0F + roughExponential(y));
}
inline Floats geluTanh(Floats x) {
  // (1 + tanh y) / 2 is the logistic function of 2 y.
  return x * sigmoid(1.59576912F * (x + 0.044715F * x * x * x));
}
inline Floats quickGelu(Floats x) { return x * sigmoid(1.702F * x); }
inline Floats silu(Floats x) { return x * sigmoid(x); }
inline Floats relu(Floats x) { return x < 0.0F ? Floats{} : x; }

/// bf16 as its bits, rounded to nearest even.
using BFloat16 = std::uint16_t;
using BFloat16s = std::uint16_t __attribute__((vector_size(kVectorBytes / 2)));

inline void storeBFloat16(BFloat16* to, Floats value) {
#if defined(__AVX512BF16__)
  const __m256bh rounded = _mm512_cvtneps_pbh(value);
#else
  using Words = Simd<std::uint32_t>::Vector;
  Words bits = reinterpret_cast<Words>(value);
  bits = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  const BFloat16s rounded = __builtin_convertvector(bits, BFloat16s);
#endif
  std::memcpy(to, &rounded, sizeof rounded);
}
inline BFloat16 toBFloat16(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<BFloat16>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}
inline Floats loadBFloat16(const BFloat16* from) {
  const auto bits = loadAs<std::uint32_t>(from) << 16;
  return reinterpret_cast<Floats>(bits);
}
inline float toFloat(BFloat16 value) {
  const std::uint32_t bits = static_cast<std::uint32_t>(value) << 16;
  float result = 0;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

// What rows of either type are read by.
inline float toFloat(float value) { return value; }
inline Floats loadFloats(const float* from) { return load(from); }
inline Floats loadFloats(const BFloat16* from) { return loadBFloat16(from); }
/// Up to a vector of elements, zeros beyond them.
template <class In>
inline Floats loadSome(const In* from, std::ptrdiff_t count) {
  Floats values = {};
  for (std::ptrdiff_t i = 0; i < count; ++i) values[i] = toFloat(from[i]);
  return values;
}

}  // namespace
}  // namespace adamerge
