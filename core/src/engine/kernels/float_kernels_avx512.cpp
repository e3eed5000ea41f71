// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/float_attention.h"
#include "engine/kernels/float_kernels.h"
#include "engine/kernels/float_layer_norm.h"
#include "engine/kernels/float_product.h"

namespace adamerge {

const FloatKernels kAvx512Kernels = {kPanel<float>, product, layerNorm, attention,
                                     attentionScratch};

}  // namespace adamerge
