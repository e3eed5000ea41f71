// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute.h"

#include <malloc.h>

#include <limits>

#include "engine/device.h"

namespace adamerge::training {
namespace {

bool cpuMultipliesBfloat16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

/// LibTorch's public headers tell nothing of a GPU's generation unless they are built for CUDA; old
/// ones refuse the product.
bool multipliesBfloat16(const at::Device& device) {
  try {
    const at::Tensor one = at::ones({16, 16}, at::TensorOptions(at::kBFloat16).device(device));
    return at::matmul(one, one)[0][0].item<float>() == 16.0F;
  } catch (const c10::Error&) {
    return false;
  }
}

}  // namespace

std::string fastestDtype(const at::Device& device) {
  const bool bfloat16 = device.is_cpu() ? cpuMultipliesBfloat16() : multipliesBfloat16(device);
  return dtypeName(bfloat16 ? at::kBFloat16 : at::kFloat);
}

void keepFreedMemory() {
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  ::mallopt(M_TOP_PAD, 1 << 28);
#endif
}

}  // namespace adamerge::training
