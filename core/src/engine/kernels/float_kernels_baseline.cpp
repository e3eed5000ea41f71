// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/float_kernel_table.h"

namespace adamerge {

const FloatKernels kBaselineKernels = kOwnKernels;

}  // namespace adamerge
