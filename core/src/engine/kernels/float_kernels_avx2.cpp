// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/float_affinity.h"
#include "engine/kernels/float_attention.h"
#include "engine/kernels/float_kernels.h"
#include "engine/kernels/float_layer_norm.h"
#include "engine/kernels/float_product.h"

namespace adamerge {

const FloatKernels kAvx2Kernels = {.panel = kPanel<float>,
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

}  // namespace adamerge
