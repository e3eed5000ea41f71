// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/rows.h"

#include "kernels/cpu/kernel_tables.h"
#include "kernels/parallel.h"
#include "kernels/workspace.h"

namespace adamerge {
namespace {

bool isFloatOrBFloat16(at::ScalarType type) { return type == at::kFloat || type == at::kBFloat16; }

}  // namespace

Finish finishOf(std::optional<Activation> activation) {
  if (!activation) return Finish::kNone;
  switch (*activation) {
    case Activation::kGelu:
      return Finish::kGelu;
    case Activation::kGeluTanh:
      return Finish::kGeluTanh;
    case Activation::kQuickGelu:
      return Finish::kQuickGelu;
    case Activation::kSilu:
      return Finish::kSilu;
    case Activation::kRelu:
      break;
  }
  return Finish::kRelu;
}

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::kGelu:
      return at::gelu(x);
    case Activation::kGeluTanh:
      return at::gelu(x, "tanh");
    case Activation::kQuickGelu:
      return x * at::sigmoid(x * 1.702);
    case Activation::kSilu:
      return at::silu(x);
    case Activation::kRelu:
      break;
  }
  return at::relu(x);
}

at::Tensor plainGated(const at::Tensor& gate, const at::Tensor& up, Activation activation,
                      std::optional<at::ScalarType> dtype) {
  return (activate(gate, activation) * up).to(dtype.value_or(gate.scalar_type()));
}

at::Tensor gated(const at::Tensor& gate, const at::Tensor& up, Activation activation,
                 std::optional<at::ScalarType> dtype, Isa isa) {
  const at::ScalarType type = gate.scalar_type();
  const at::ScalarType wanted = dtype.value_or(type);
  if (!gate.is_cpu() || up.scalar_type() != type || !isFloatOrBFloat16(type) ||
      !isFloatOrBFloat16(wanted) || gate.stride(1) != 1 || up.stride(1) != 1) {
    return plainGated(gate, up, activation, wanted);
  }
  at::Tensor result = emptyResult(gate.sizes(), gate.options().dtype(wanted));
  GatedCall call{};
  call.gate = gate.data_ptr();
  call.up = up.data_ptr();
  call.gate_stride = gate.stride(0);
  call.up_stride = up.stride(0);
  call.bfloat16 = type == at::kBFloat16;
  call.columns = gate.size(1);
  call.finish = finishOf(activation);
  call.out = result.data_ptr();
  call.store = wanted == at::kBFloat16 ? Store::kBFloat16 : Store::kFloat;
  const FloatKernels& kernels = floatKernels(isa);
  parallelForRows(gate.size(0), gate.size(1),
                  [&](std::int64_t first, std::int64_t last) { kernels.gated(call, first, last); });
  return result;
}

at::Tensor gated(const at::Tensor& x, Activation activation, bool gate_first,
                 std::optional<at::ScalarType> dtype, Isa isa) {
  const std::int64_t half = x.size(1) / 2;
  const at::Tensor first = x.narrow(1, 0, half);
  const at::Tensor second = x.narrow(1, half, half);
  return gate_first ? gated(first, second, activation, dtype, isa)
                    : gated(second, first, activation, dtype, isa);
}

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
  at::Tensor result = emptyResult(rows.sizes(), rows.options().dtype(dtype));
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

namespace {

bool haveKernel(const at::Tensor& heads, const at::Tensor& angles) {
  return heads.is_cpu() && heads.stride(2) == 1 &&
         (heads.scalar_type() == at::kFloat || heads.scalar_type() == at::kBFloat16) &&
         angles.is_cpu() && angles.scalar_type() == at::kFloat;
}

}  // namespace

void plainRotate(const at::Tensor& heads, const at::Tensor& cosines, const at::Tensor& sines,
                 bool halves) {
  const std::int64_t width = heads.size(2);
  const auto exact =
      heads.options().dtype(heads.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  const at::Tensor u = heads.to(exact);
  const at::Tensor c = cosines.to(exact);
  const at::Tensor s = sines.to(exact);
  const at::Tensor a = halves ? u.narrow(2, 0, width / 2) : u.slice(2, 0, width, 2);
  const at::Tensor b = halves ? u.narrow(2, width / 2, width / 2) : u.slice(2, 1, width, 2);
  const at::Tensor first = a * c - b * s;
  const at::Tensor second = b * c + a * s;
  heads.copy_(halves ? at::cat({first, second}, 2) : at::stack({first, second}, 3).flatten(2));
}

void rotate(const at::Tensor& heads, const at::Tensor& cosines, const at::Tensor& sines,
            bool halves, Isa isa) {
  if (!haveKernel(heads, cosines) || !haveKernel(heads, sines)) {
    plainRotate(heads, cosines, sines, halves);
    return;
  }
  const at::Tensor c = cosines.contiguous();
  const at::Tensor s = sines.contiguous();
  RotateCall call{};
  call.x = heads.data_ptr();
  call.row_stride = heads.stride(0);
  call.head_stride = heads.stride(1);
  call.bfloat16 = heads.scalar_type() == at::kBFloat16;
  call.heads = heads.size(1);
  call.width = heads.size(2);
  call.cosines = c.data_ptr<float>();
  call.sines = s.data_ptr<float>();
  call.angle_row_stride = c.size(1) * c.size(2);
  call.angle_head_stride = c.size(1) == 1 ? 0 : c.size(2);
  call.halves = halves;
  const FloatKernels& kernels = floatKernels(isa);
  parallelForRows(
      heads.size(0), heads.size(1) * heads.size(2),
      [&](std::int64_t first, std::int64_t last) { kernels.rotate(call, first, last); });
}

}  // namespace adamerge
