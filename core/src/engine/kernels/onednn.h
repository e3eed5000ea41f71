// SPDX-License-Identifier: GPL-3.0-or-later
// oneDNN as our kernels use it.
#pragma once

#include <ATen/ATen.h>

#include <oneapi/dnnl/dnnl.hpp>

namespace adamerge {

/// The CPU, made once, after the backends are prepared.
const dnnl::engine& cpuEngine();

/// One multiplication with the scratch memory it wants from its caller, so that several threads can
/// run it.
struct Product {
  dnnl::matmul primitive;
  dnnl::memory::desc source;
  dnnl::memory::desc weights;
  dnnl::memory::desc destination;
  dnnl::memory::desc scratch;
};

/// `bias`: of zero size for none.
Product makeProduct(const dnnl::memory::desc& source, const dnnl::memory::desc& weights,
                    const dnnl::memory::desc& bias, const dnnl::memory::desc& destination);

/// `bias` may be null.
void runProduct(const Product& product, void* source, const dnnl::memory& weights,
                const dnnl::memory* bias, void* destination);

}  // namespace adamerge
