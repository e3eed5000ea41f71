// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cpu/kernel_tables.h"

namespace adamerge {

extern const FloatKernels kBaselineKernels;
extern const HalfKernels kBaselineWidenedKernels;
#if defined(__x86_64__)
extern const FloatKernels kAvx2Kernels;
extern const FloatKernels kAvx512Kernels;
extern const HalfKernels kAvx2WidenedKernels;
extern const HalfKernels kAvx512WidenedKernels;
extern const HalfKernels kAvx512Bf16Kernels;
extern const HalfKernels kAmxKernels;
#endif

const FloatKernels& floatKernels(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx512) return kAvx512Kernels;
  if (isa == Isa::kAvx2) return kAvx2Kernels;
#endif
  static_cast<void>(isa);
  return kBaselineKernels;
}

const HalfKernels& halfKernels(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::kAmx) return kAmxKernels;
  if (isa == Isa::kAvx512Bf16) return kAvx512Bf16Kernels;
  if (isa == Isa::kAvx512) return kAvx512WidenedKernels;
  if (isa == Isa::kAvx2) return kAvx2WidenedKernels;
#endif
  static_cast<void>(isa);
  return kBaselineWidenedKernels;
}

}  // namespace adamerge
