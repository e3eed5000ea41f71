// SPDX-License-Identifier: GPL-3.0-or-later
// The bf16 kernels on AMX tiles.
#include "kernels/cpu/amx_attention.h"
#include "kernels/cpu/amx_gram.h"
#include "kernels/cpu/amx_product.h"
#include "kernels/cpu/kernel_tables.h"

namespace adamerge {

extern const HalfKernels kAmxKernels;
const HalfKernels kAmxKernels = {.step = kTileStep,
                                 .panel = kTilePanel,
                                 .rows = kTileRows,
                                 .pack = pack,
                                 .product = product,
                                 .productScratch = productScratch,
                                 .attention = attendHead,
                                 .attentionScratch = attentionScratch,
                                 .split = split,
                                 .splitSize = splitSize,
                                 .gramPanel = gramPanel,
                                 .gramScratch = gramScratch};

}  // namespace adamerge
