// SPDX-License-Identifier: GPL-3.0-or-later
// Instruction sets our kernels are written for, and which of them this machine has.
#pragma once

namespace adamerge {

/// In rising order: each implies those before it.
enum class Isa {
  kBaseline,    ///< whatever the program is compiled for
  kAvx2,        ///< with FMA
  kAvx512,      ///< F, BW, DQ and VL
  kAvx512Bf16,  ///< with dot products of bf16 and of bytes
  kAmx,         ///< bf16 tiles, and the operating system's leave to use them
};

/// As users write it: baseline, avx2, avx512, avx512bf16, amx.
const char* isaName(Isa isa);

/// The best of this machine, asked once. The environment variable ADAMERGE_MAX_ISA, one of
/// those names, caps it, for comparisons; an unknown value changes nothing.
Isa bestIsa();

/// Whether it has an arithmetic of its own for bf16, faster than fp32's.
inline bool multipliesBFloat16(Isa isa) { return isa >= Isa::kAvx512Bf16; }

}  // namespace adamerge
