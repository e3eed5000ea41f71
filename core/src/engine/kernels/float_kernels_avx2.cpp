// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/float_kernel_table.h"

namespace adamerge {

const FloatKernels kAvx2Kernels = kOwnKernels;

}  // namespace adamerge
