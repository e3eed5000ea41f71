// SPDX-License-Identifier: GPL-3.0-or-later
// Where no processor has AMX, bestIsa() never says so and nobody calls these.
#include <cstdlib>

#include "engine/kernels/amx_kernels.h"

namespace adamerge {

void amxPack(const float*, std::ptrdiff_t, std::ptrdiff_t, std::uint16_t*) { std::abort(); }
void amxProduct(const std::uint16_t*, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t,
                const std::uint16_t*, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t,
                const Destination&, std::uint16_t*) {
  std::abort();
}
std::ptrdiff_t amxProductScratch(std::ptrdiff_t) { return 0; }
void amxAttention(const AttentionCall&, void*) { std::abort(); }
std::ptrdiff_t amxAttentionScratch(std::ptrdiff_t, std::ptrdiff_t) { return 0; }
void amxSplit(const float*, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t,
              std::ptrdiff_t, std::uint16_t*) {
  std::abort();
}
std::ptrdiff_t amxSplitSize(std::ptrdiff_t, std::ptrdiff_t) { return 0; }
void amxGramPanel(const std::uint16_t*, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, float*,
                  std::uint16_t*) {
  std::abort();
}
std::ptrdiff_t amxGramScratch(std::ptrdiff_t) { return 0; }

}  // namespace adamerge
