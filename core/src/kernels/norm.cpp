// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/norm.h"

#include "kernels/cpu/kernel_tables.h"
#include "kernels/parallel.h"

namespace adamerge {
namespace {

bool haveKernel(const at::Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kFloat; }

}  // namespace

at::Tensor plainLayerNorm(const at::Tensor& x, const LayerNorm& norm, at::ScalarType dtype) {
  if (!norm.weight.defined()) return x.to(dtype);
  if (!norm.rms) {
    return at::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias, norm.epsilon).to(dtype);
  }
  // The squares of half precision's numbers overflow.
  const at::Tensor wide = x.to(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  const at::Tensor square = wide.square().mean(-1, /*keepdim=*/true);
  return (wide * (square + norm.epsilon).rsqrt() * norm.weight).to(dtype);
}

at::Tensor layerNorm(const at::Tensor& x, const LayerNorm& norm, at::ScalarType dtype, Isa isa) {
  if (!norm.weight.defined() || !haveKernel(x) || !haveKernel(norm.weight) ||
      (norm.bias.defined() && !haveKernel(norm.bias)) ||
      (dtype != at::kFloat && dtype != at::kBFloat16)) {
    return plainLayerNorm(x, norm, dtype);
  }
  const at::Tensor rows = x.contiguous();
  at::Tensor result = at::empty(rows.sizes(), rows.options().dtype(dtype));
  const std::int64_t columns = rows.size(-1);
  NormCall call{};
  call.x = rows.data_ptr<float>();
  call.x_stride = call.columns = columns;
  call.weight = norm.weight.data_ptr<float>();
  if (norm.bias.defined()) call.bias = norm.bias.data_ptr<float>();
  call.epsilon = static_cast<float>(norm.epsilon);
  call.rms = norm.rms;
  call.out = result.data_ptr();
  call.store = dtype == at::kBFloat16 ? Store::kBFloat16 : Store::kFloat;
  const FloatKernels& kernels = floatKernels(isa);
  parallelForRows(rows.numel() / columns, columns,
                  [&](std::int64_t first, std::int64_t last) { kernels.norm(call, first, last); });
  return result;
}

}  // namespace adamerge
