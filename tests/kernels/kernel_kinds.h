// SPDX-License-Identifier: GPL-3.0-or-later
// Tests that are run for every instruction set and number type that this machine has kernels for.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "adamerge/model_info.h"
#include "kernels/cpu/isa.h"

namespace adamerge {

inline const std::vector<Activation> kActivations = {Activation::kGelu, Activation::kGeluTanh,
                                                     Activation::kQuickGelu, Activation::kSilu,
                                                     Activation::kRelu};

inline double largestDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

/// One instruction set and number type that have a kernel here.
struct Kind {
  std::string name;
  Isa isa;
  at::ScalarType dtype;
};
inline std::string nameOf(const testing::TestParamInfo<Kind>& info) { return info.param.name; }

inline std::vector<Kind> kinds() {
  std::vector<Kind> found;
  for (const Kind& kind :
       {Kind{"baseline", Isa::kBaseline, at::kFloat}, Kind{"avx2", Isa::kAvx2, at::kFloat},
        Kind{"avx512", Isa::kAvx512, at::kFloat},
        Kind{"baseline_widened", Isa::kBaseline, at::kBFloat16},
        Kind{"avx2_widened", Isa::kAvx2, at::kBFloat16},
        Kind{"avx512_widened", Isa::kAvx512, at::kBFloat16},
        Kind{"avx512bf16", Isa::kAvx512Bf16, at::kBFloat16},
        Kind{"amx", Isa::kAmx, at::kBFloat16}}) {
    if (kind.isa <= bestIsa()) found.push_back(kind);
  }
  return found;
}

class Kernels : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { at::manual_seed(7); }
  Isa isa() const { return GetParam().isa; }
  at::ScalarType dtype() const { return GetParam().dtype; }
  bool half() const { return dtype() == at::kBFloat16; }
  at::Tensor random(at::IntArrayRef shape) const { return at::randn(shape).to(dtype()); }
  /// Sums are taken in fp32; what is stored is rounded to 8 bits in bf16.
  double tolerance(const at::Tensor& exact) const {
    const double largest = std::max(1.0, exact.abs().max().item<double>());
    return (half() ? 1.0 / 256 : 2e-6) * largest;
  }
};

}  // namespace adamerge
