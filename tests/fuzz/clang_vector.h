// SPDX-License-Identifier: GPL-3.0-or-later
// Included before all else by the fuzzers' build: LibTorch 1.13 has vectors of types that are still
// incomplete, which clang refuses where libstdc++'s vector is constexpr, as it is in C++20.
#pragma once

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
