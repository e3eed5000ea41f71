// SPDX-License-Identifier: GPL-3.0-or-later
// Lets Debian 12's oneDNN 2.6 use AMX in virtual machines that have it but hide CPUID leaf 0x1D (in
// /proc/cpuinfo: amx_tile, and a "cpuid level" below 29). oneDNN takes the number of the tiles'
// palette from that leaf, gets 0, which stands for "tiles off", and the first tile instruction is
// fatal. Palette 1 is the only one that CPUs have. For fair figures of the PyTorch peers only:
//
//   gcc -O2 -shared -fPIC onednn_tile_palette.c -o /tmp/onednn_tile_palette.so
//   LD_PRELOAD=/tmp/onednn_tile_palette.so DNNL_MAX_CPU_ISA=AVX512_CORE_AMX ./compare.py …
#include <string.h>

// dnnl::impl::cpu::x64::amx_tile_configure(const char*); `palette` is what LDTILECFG reads.
void _ZN4dnnl4impl3cpu3x6418amx_tile_configureEPKc(const char* palette) {
  char configuration[64];
  memcpy(configuration, palette, sizeof configuration);
  configuration[0] = 1;
  __asm__ volatile("ldtilecfg %0" : : "m"(configuration));
}
