// SPDX-License-Identifier: GPL-3.0-or-later
// Included before all else by the fuzzers' build: what clang lacks.
#pragma once

/// GCC's function for vectors of the kernels, by elements: of `first` and, counted on, of `second`.
template <class Vector, class Indices>
Vector __builtin_shuffle(const Vector& first, const Vector& second, const Indices& indices) {
  constexpr int kElements = sizeof(Vector) / sizeof(first[0]);
  Vector result;
  for (int i = 0; i < kElements; ++i) {
    const auto from = static_cast<unsigned>(indices[i]) % (2U * kElements);
    result[i] = from < kElements ? first[from] : second[from - kElements];
  }
  return result;
}
template <class Vector, class Indices>
Vector __builtin_shuffle(const Vector& vector, const Indices& indices) {
  return __builtin_shuffle(vector, vector, indices);
}

// LibTorch 1.13 has vectors of types that are still incomplete, which clang refuses where
// libstdc++'s vector is constexpr, as it is in C++20.

#include <memory>
#include <string>

#ifdef __GLIBCXX__
#pragma push_macro("_GLIBCXX20_CONSTEXPR")
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR inline
// Declared before as constexpr, defined there.
#define __fill_a1 __fill_bits_a1
#include <vector>
#undef __fill_a1
#pragma pop_macro("_GLIBCXX20_CONSTEXPR")
#pragma clang diagnostic ignored "-Wundefined-inline"
__attribute__((used, weak)) void fillBits(std::_Bit_iterator, std::_Bit_iterator,
                                          const bool&) asm("_ZSt9__fill_a1St13_Bit_iteratorS_RKb");
void fillBits(std::_Bit_iterator first, std::_Bit_iterator last, const bool& value) {
  std::__fill_bits_a1(first, last, value);
}
#endif
