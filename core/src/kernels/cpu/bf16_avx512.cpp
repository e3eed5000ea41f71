// SPDX-License-Identifier: GPL-3.0-or-later
// The bf16 kernels on AVX-512's dot products.
#include "kernels/cpu/avx512_product.h"
#include "kernels/cpu/bf16_attention.h"
#include "kernels/cpu/kernel_tables.h"

namespace adamerge {

extern const HalfKernels kAvx512Bf16Kernels;
const HalfKernels kAvx512Bf16Kernels = {.step = DotBlocks::kStep,
                                        .panel = DotBlocks::kPanel,
                                        .rows = DotBlocks::kRows,
                                        .pack = pack<DotBlocks>,
                                        .product = product,
                                        .productScratch = productScratch,
                                        .attention = attendHead<DotBlocks>,
                                        .attentionScratch = attentionScratch<DotBlocks>,
                                        .gram = nullptr};

}  // namespace adamerge
