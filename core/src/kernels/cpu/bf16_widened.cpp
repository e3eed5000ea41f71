// SPDX-License-Identifier: GPL-3.0-or-later
// The bf16 kernels where nothing multiplies bf16: both halves of each pair are widened to fp32 and
// multiplied as such. No faster than fp32, but as exact as the others, with half the weights to
// read, and many times faster than LibTorch's. Compiled as fp32.cpp is.
#include "kernels/cpu/bf16_blocks.h"
#include "kernels/cpu/kernel_tables.h"

namespace adamerge {
namespace {

using Words = Simd<Pair>::Vector;

inline Floats lowHalf(Words pairs) { return reinterpret_cast<Floats>(pairs << 16); }
inline Floats highHalf(Words pairs) { return reinterpret_cast<Floats>(pairs & 0xFFFF0000U); }

struct WidenedBlocks {
  static constexpr std::ptrdiff_t kRows = kFloatRows;
  /// Of those whose sums fit in registers.
  static constexpr int kVectors = kVectorBytes == 64 ? 4 : 2;
  static constexpr std::ptrdiff_t kGroup = std::ptrdiff_t{kVectors} * kFloats;
  static constexpr std::ptrdiff_t kPanel = kGroup < kPairColumns ? kPairColumns : kGroup;
  static constexpr std::ptrdiff_t kStep = 2;
  static constexpr bool kReadsWholeBlocks = false;
  struct Session {};

  static void product(const BFloat16* a, std::ptrdiff_t a_stride, std::ptrdiff_t rows,
                      std::ptrdiff_t k, const BFloat16* panel, std::ptrdiff_t columns, float* sums,
                      std::ptrdiff_t sums_stride);
};

/// Over M rows and a group of vectors.
template <int M>
void widenedBlock(const BFloat16* a, std::ptrdiff_t stride, std::ptrdiff_t k, const Pair* panel,
                  float* sums, std::ptrdiff_t sums_stride) {
  constexpr int kVectors = WidenedBlocks::kVectors;
  Floats block[M][kVectors] = {};
  for (std::ptrdiff_t i = 0; i < k; i += 2, panel += WidenedBlocks::kPanel) {
    Words weights[kVectors];
#pragma GCC unroll 4
    for (int n = 0; n < kVectors; ++n) weights[n] = load(panel + n * kFloats);
#pragma GCC unroll 6
    for (int m = 0; m < M; ++m) {
      Pair pair = 0;
      std::memcpy(&pair, a + m * stride + i, sizeof pair);
      const Words pairs = broadcast(pair);
      const Floats low = lowHalf(pairs);
      const Floats high = highHalf(pairs);
#pragma GCC unroll 4
      for (int n = 0; n < kVectors; ++n) {
        block[m][n] += low * lowHalf(weights[n]);
        block[m][n] += high * highHalf(weights[n]);
      }
    }
  }
#pragma GCC unroll 6
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int n = 0; n < kVectors; ++n) store(sums + m * sums_stride + n * kFloats, block[m][n]);
  }
}

void WidenedBlocks::product(const BFloat16* a, std::ptrdiff_t a_stride, std::ptrdiff_t rows,
                            std::ptrdiff_t k, const BFloat16* panel, std::ptrdiff_t columns,
                            float* sums, std::ptrdiff_t sums_stride) {
  static constexpr decltype(&widenedBlock<1>) kBlocks[kRows] = {widenedBlock<1>, widenedBlock<2>,
                                                                widenedBlock<3>, widenedBlock<4>,
                                                                widenedBlock<5>, widenedBlock<6>};
  const auto* pairs = reinterpret_cast<const Pair*>(panel);
  for (std::ptrdiff_t column = 0; column < columns; column += kGroup) {
    kBlocks[rows - 1](a, a_stride, k, pairs + column, sums + column, sums_stride);
  }
}

}  // namespace

extern const HalfKernels ADAMERGE_KERNELS;
const HalfKernels ADAMERGE_KERNELS = registerKernels<WidenedBlocks>();

}  // namespace adamerge
