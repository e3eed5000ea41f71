// SPDX-License-Identifier: GPL-3.0-or-later
// The bf16 kernels on AMX tiles.
#include "kernels/cpu/amx_gram.h"
#include "kernels/cpu/amx_product.h"
#include "kernels/cpu/bf16_attention.h"
#include "kernels/cpu/kernel_tables.h"

namespace adamerge {

constexpr SplitGramKernels kTileGram = {
    .split = split, .splitSize = splitSize, .gramPanel = gramPanel, .gramScratch = gramScratch};

extern const HalfKernels kAmxKernels;
const HalfKernels kAmxKernels = {.step = TileBlocks::kStep,
                                 .panel = TileBlocks::kPanel,
                                 .rows = kTileRows,
                                 .pack = pack<TileBlocks>,
                                 .product = product,
                                 .productScratch = productScratch,
                                 .attention = attendHead<TileBlocks>,
                                 .attentionScratch = attentionScratch<TileBlocks>,
                                 .gram = &kTileGram};

}  // namespace adamerge
