// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/rotation.h"

#include "kernels/cpu/kernel_tables.h"
#include "kernels/parallel.h"

namespace adamerge {
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
