// SPDX-License-Identifier: GPL-3.0-or-later
// The fp32 kernels as compiled for the instruction set of the file that includes this; each such
// file gets its own.
#pragma once

#include "engine/kernels/float_affinity.h"
#include "engine/kernels/float_attention.h"
#include "engine/kernels/float_kernels.h"
#include "engine/kernels/float_layer_norm.h"
#include "engine/kernels/float_product.h"

namespace adamerge {
namespace {

constexpr FloatKernels kOwnKernels = {.panel = kPanel<float>,
                                      .product = product,
                                      .layerNorm = layerNorm,
                                      .attention = attention,
                                      .attentionScratch = attentionScratch,
                                      .dotProducts = dotProducts,
                                      .dotPanels = dotPanels,
                                      .dotScratch = dotScratch,
                                      .softmaxColumnSums = softmaxColumnSums,
                                      .best = best,
                                      .headMeans = headMeans};

}  // namespace
}  // namespace adamerge
