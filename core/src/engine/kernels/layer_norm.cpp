// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/layer_norm.h"

#include "engine/kernels/float_kernels.h"
#include "engine/kernels/parallel.h"

namespace adamerge {
namespace {

/// Below this many elements another thread takes longer to wake up than to help.
constexpr std::int64_t kWorthAThread = 32768;

}  // namespace

at::Tensor plainLayerNorm(const at::Tensor& x, const LayerNorm& norm, at::ScalarType dtype) {
  if (!norm.weight.defined()) return x.to(dtype);
  return at::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias, norm.epsilon).to(dtype);
}

at::Tensor layerNorm(const at::Tensor& x, const LayerNorm& norm, at::ScalarType dtype, Isa isa) {
  const auto plain = [](const at::Tensor& t) {
    return t.defined() && t.is_cpu() && t.scalar_type() == at::kFloat;
  };
  if (!plain(x) || !plain(norm.weight) || !plain(norm.bias) ||
      (dtype != at::kFloat && dtype != at::kBFloat16)) {
    return plainLayerNorm(x, norm, dtype);
  }
  const at::Tensor rows = x.contiguous();
  at::Tensor result = at::empty(rows.sizes(), rows.options().dtype(dtype));
  const std::int64_t columns = rows.size(-1);
  const LayerNormCall call{rows.data_ptr<float>(),
                           columns,
                           norm.weight.data_ptr<float>(),
                           norm.bias.data_ptr<float>(),
                           static_cast<float>(norm.epsilon),
                           columns,
                           result.data_ptr(),
                           dtype == at::kBFloat16};
  const FloatKernels& kernels = floatKernels(isa);
  const auto work = [&](std::int64_t first, std::int64_t last) {
    kernels.layerNorm(call, first, last);
  };
  if (rows.numel() < kWorthAThread) {
    work(0, rows.numel() / columns);
  } else {
    parallelFor(rows.numel() / columns, work);
  }
  return result;
}

}  // namespace adamerge
