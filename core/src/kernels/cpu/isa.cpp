// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cpu/isa.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "kernels/cpu/kernel_tables.h"

namespace adamerge {

extern const FloatKernels kBaselineKernels;
extern const HalfKernels kBaselineWidenedKernels;
extern const Int8Kernels kBaselineInt8Kernels;
#if defined(__x86_64__)
extern const FloatKernels kAvx2Kernels;
extern const FloatKernels kAvx512Kernels;
extern const HalfKernels kAvx2WidenedKernels;
extern const HalfKernels kAvx512WidenedKernels;
extern const HalfKernels kAvx512Bf16Kernels;
extern const HalfKernels kAmxKernels;
extern const Int8Kernels kAvx2Int8Kernels;
extern const Int8Kernels kAvx512Int8Kernels;
extern const Int8Kernels kAvx512VnniInt8Kernels;
#endif

namespace {

#if defined(__x86_64__)

/// Linux grants the eight kilobytes of tile state only to processes that ask; without it the first
/// tile instruction is fatal.
bool tilesGranted() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

/// The features that CPUID's leaf 7 tells, of which __builtin_cpu_supports() may not know the
/// names.
struct Leaf7 {
  unsigned ecx = 0;          ///< of its first part
  unsigned edx = 0;          ///< likewise
  unsigned eax_further = 0;  ///< of its second

  Leaf7() {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ignored = 0;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return;
    if (eax >= 1) __get_cpuid_count(7, 1, &eax_further, &ebx, &ignored, &ignored);
  }
  /// Of bf16, and of bytes: no processor has the first alone.
  bool hasDotProducts() const {
    constexpr unsigned kAvx512Vnni = 1U << 11;
    constexpr unsigned kAvx512Bf16 = 1U << 5;
    return (eax_further & kAvx512Bf16) != 0 && (ecx & kAvx512Vnni) != 0;
  }
  bool hasTiles() const {
    constexpr unsigned kAmxBf16 = 1U << 22;
    constexpr unsigned kAmxTile = 1U << 24;
    return (edx & kAmxBf16) != 0 && (edx & kAmxTile) != 0;
  }
};

Isa detect() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Isa::kBaseline;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) {
    return Isa::kAvx2;
  }
  const Leaf7 features;
  if (!features.hasDotProducts()) return Isa::kAvx512;
  return features.hasTiles() && tilesGranted() ? Isa::kAmx : Isa::kAvx512Bf16;
}

#else

Isa detect() { return Isa::kBaseline; }

#endif

Isa cap() {
  const char* text = std::getenv("ADAMERGE_MAX_ISA");
  const std::string_view name = text == nullptr ? "" : text;
  for (const Isa isa : {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16}) {
    if (name == isaName(isa)) return isa;
  }
  return Isa::kAmx;
}

}  // namespace

const char* isaName(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return "baseline";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Bf16:
      return "avx512bf16";
    case Isa::kAmx:
      return "amx";
  }
  return "";
}

Isa bestIsa() {
  static const Isa isa = std::min(detect(), cap());
  return isa;
}

const FloatKernels& floatKernels(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx512) return kAvx512Kernels;
  if (isa == Isa::kAvx2) return kAvx2Kernels;
#endif
  static_cast<void>(isa);
  return kBaselineKernels;
}

const Int8Kernels& int8Kernels(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx512Bf16) return kAvx512VnniInt8Kernels;
  if (isa == Isa::kAvx512) return kAvx512Int8Kernels;
  if (isa == Isa::kAvx2) return kAvx2Int8Kernels;
#endif
  static_cast<void>(isa);
  return kBaselineInt8Kernels;
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
