// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/activation.h"

#include "kernels/parallel.h"

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
  at::Tensor result = at::empty(gate.sizes(), gate.options().dtype(wanted));
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

}  // namespace adamerge
