// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/float_kernels.h"

namespace adamerge {

const FloatKernels& floatKernels(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx512) return kAvx512Kernels;
  if (isa == Isa::kAvx2) return kAvx2Kernels;
#endif
  return kBaselineKernels;
}

}  // namespace adamerge
