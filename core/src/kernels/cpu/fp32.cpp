// SPDX-License-Identifier: GPL-3.0-or-later
// The fp32 kernels as compiled for one instruction set. CMake compiles this file once for each, and
// says with ADAMERGE_KERNELS what its table is called.
#include "kernels/cpu/fp32_attention.h"
#include "kernels/cpu/fp32_matching.h"
#include "kernels/cpu/fp32_product.h"
#include "kernels/cpu/fp32_rows.h"
#include "kernels/cpu/kernel_tables.h"

namespace adamerge {

extern const FloatKernels ADAMERGE_KERNELS;
const FloatKernels ADAMERGE_KERNELS = {.panel = kPanel<float>,
                                       .product = product,
                                       .norm = normRows,
                                       .gated = gatedRows,
                                       .rotate = rotateRows,
                                       .attention = attendHead,
                                       .attentionScratch = attentionScratch,
                                       .dotProducts = dotProducts,
                                       .dotPanels = dotPanels,
                                       .dotScratch = dotScratch,
                                       .softmaxColumnSums = softmaxColumnSums,
                                       .best = best,
                                       .headMeans = headMeans};

}  // namespace adamerge
