// SPDX-License-Identifier: GPL-3.0-or-later
// The bf16 kernels on AVX-512's own instruction: sixteen pairs times sixteen pairs, both products
// of each pair added to an fp32 sum. As in fp32 a block of sums stays in registers over the whole
// of k.
#include <immintrin.h>

#include "kernels/cpu/bf16_blocks.h"
#include "kernels/cpu/kernel_tables.h"

namespace adamerge {
namespace {

/// 24 of the 32 registers hold sums.
struct DotBlocks {
  static constexpr std::ptrdiff_t kRows = kFloatRows;
  static constexpr std::ptrdiff_t kVectors = 4;
  static constexpr std::ptrdiff_t kPanel = kVectors * kPairColumns;
  static constexpr std::ptrdiff_t kStep = 2;
  static constexpr bool kReadsWholeBlocks = false;
  struct Session {};

  static void product(const BFloat16* a, std::ptrdiff_t a_stride, std::ptrdiff_t rows,
                      std::ptrdiff_t k, const BFloat16* panel, std::ptrdiff_t columns, float* sums,
                      std::ptrdiff_t sums_stride);
};

/// How far ahead of their use weights are asked for.
constexpr std::ptrdiff_t kPairsAhead = 8;

/// Over M rows and the first N vectors of the panel.
template <int M, int N>
void dotBlock(const BFloat16* a, std::ptrdiff_t stride, std::ptrdiff_t k, const BFloat16* panel,
              float* sums, std::ptrdiff_t sums_stride) {
  __m512 block[M][N];
#pragma GCC unroll 6
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) block[m][n] = _mm512_setzero_ps();
  }
  for (std::ptrdiff_t i = 0; i < k; i += 2, panel += 2 * DotBlocks::kPanel) {
    __m512i weights[N];
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) weights[n] = _mm512_loadu_si512(panel + 2 * kPairColumns * n);
#pragma GCC unroll 6
    for (int m = 0; m < M; ++m) {
      std::int32_t pair = 0;
      std::memcpy(&pair, a + m * stride + i, sizeof pair);
      const auto value = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) {
        block[m][n] = _mm512_dpbf16_ps(block[m][n], value, reinterpret_cast<__m512bh>(weights[n]));
      }
    }
    // The processor's own prefetching comes too late for weights that stream from memory.
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) {
      __builtin_prefetch(panel + kPairsAhead * 2 * DotBlocks::kPanel + 2 * kPairColumns * n);
    }
  }
#pragma GCC unroll 6
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) {
      _mm512_storeu_ps(sums + m * sums_stride + n * kPairColumns, block[m][n]);
    }
  }
}

void DotBlocks::product(const BFloat16* a, std::ptrdiff_t a_stride, std::ptrdiff_t rows,
                        std::ptrdiff_t k, const BFloat16* panel, std::ptrdiff_t columns,
                        float* sums, std::ptrdiff_t sums_stride) {
  using Block = void (*)(const BFloat16*, std::ptrdiff_t, std::ptrdiff_t, const BFloat16*, float*,
                         std::ptrdiff_t);
#define ADAMERGE_ROWS(N) \
  { dotBlock<1, N>, dotBlock<2, N>, dotBlock<3, N>, dotBlock<4, N>, dotBlock<5, N>, dotBlock<6, N> }
  static constexpr Block kBlocks[kVectors][kRows] = {ADAMERGE_ROWS(1), ADAMERGE_ROWS(2),
                                                     ADAMERGE_ROWS(3), ADAMERGE_ROWS(4)};
#undef ADAMERGE_ROWS
  kBlocks[(columns - 1) / kPairColumns][rows - 1](a, a_stride, k, panel, sums, sums_stride);
}

}  // namespace

extern const HalfKernels kAvx512Bf16Kernels;
const HalfKernels kAvx512Bf16Kernels = registerKernels<DotBlocks>();

}  // namespace adamerge
